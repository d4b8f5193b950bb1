"""Zero-shot findings, linear probe, calibration, subgroup gaps and geometry of the shared model, one row per site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.results.report.run_files import RunFiles
from admin.results.report.suite_numbers import GLOBAL, Suite, suites_of

MISSING = (
    "Not measured: a training run measures retrieval only. Run the job evaluate_global; then make this page again with "
    "--evaluation and the run folder of that job."
)
UNLABELLED = "Not measured: no site has labels of enough patients."


def zero_shot(files: RunFiles) -> dict[str, Any]:
    """Return each finding at each site: AUROC, average precision and F1 with intervals, and the inverted flag.

    A measure is null if there are too few patients with or without the finding.
    """
    rows = [
        {"site": site, "finding": finding, "own": own, **numbers}
        for own, key in ((False, "findings"), (True, "own_findings"))
        for site, part in parts(files, "zero_shot").items()
        for finding, numbers in part[key].items()
    ]
    macro = {site: part["macro_auroc"] for site, part in parts(files, "zero_shot").items()}
    means = {"macro_auroc": macro, "precision": mean_precision(files), "left_out": left_out(rows)}
    measured = any(row[measure] for row in rows for measure in ("auroc", "average_precision", "f1"))
    return found(files, rows if measured else []) | means | {"prompt_sets": prompt_sets(files)}


def mean_precision(files: RunFiles) -> list[dict[str, Any]]:
    """Return the mean average precision at each site over all reported findings, then over each bin that has some."""
    return [
        {"site": site, "bin": name, **numbers}
        for site, part in parts(files, "zero_shot").items()
        for name, numbers in {"all": part["macro_average_precision"], **part["by_prevalence"]}.items()
        if numbers
    ]


def left_out(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return site → findings that are in no mean, because too few patients have them or do not."""
    return {
        site: [
            row["finding"]
            for row in rows
            if (row["site"], row["own"]) == (site, False) and not row["average_precision"]
        ]
        for site in dict.fromkeys(row["site"] for row in rows)
    }


def multiclass(files: RunFiles) -> dict[str, Any]:
    """Return the zero-shot accuracy among the findings of CheXpert's competition at each site, and of each class."""
    rows = [
        {"site": site, **part["multiclass"]}
        for site, part in parts(files, "zero_shot").items()
        if part["multiclass"]["accuracy"]
    ]
    return found(files, rows)


def prompt_sets(files: RunFiles) -> list[str]:
    """Return the names of the prompt sets that the sites used."""
    return sorted({str(part["prompt_set"]) for part in parts(files, "zero_shot").values()})


def linear_probe(files: RunFiles) -> dict[str, Any]:
    """Return, per site and share of the labels, the mean AUROC over findings of a linear model on image embeddings."""
    rows = [
        {"site": site, "share": float(share), **numbers}
        for site, part in parts(files, "linear_probe").items()
        for share, numbers in part.items()
        if numbers["macro_auroc"]
    ]
    return found(files, rows)


def calibration(files: RunFiles) -> dict[str, Any]:
    """Return the calibration error at each site by the source of the probabilities; 0 is best."""
    rows = [
        {"site": site, "of": of, "error": numbers["value"], "findings": len(numbers["findings"])}
        for site, part in parts(files, "calibration").items()
        for of, numbers in part.items()
        if numbers["value"] is not None
    ]
    return found(files, rows)


def subgroups(files: RunFiles) -> dict[str, Any]:
    """Return each group at each site with its recall and AUROC, and the gaps between the best and the worst group.

    A group with too few patients has only a band for its number of patients.
    """
    rows, gaps = [], []
    for site, part in parts(files, "subgroups").items():
        for kind, split in part.items():
            rows += [{"site": site, "kind": kind, "group": name, **group} for name, group in split["groups"].items()]
            gaps += [{"site": site, "kind": kind, "of": of, **gap} for of, gap in split["gap"].items() if gap]
    return found(files, rows) | {"gaps": gaps}


def geometry(files: RunFiles) -> dict[str, Any]:
    """Return the geometry of the embeddings of each site's test split: alignment, uniformities and modality gap."""
    return found(files, [{"site": site, **part} for site, part in parts(files, "geometry").items()])


def parts(files: RunFiles, name: str) -> dict[str, Suite]:
    """Return site → one part of the shared model's suite, without sites where it is null."""
    suites: Mapping[str, Suite] = suites_of(files.evaluation, GLOBAL)
    return {site: suite[name] for site, suite in sorted(suites.items()) if suite.get(name)}


def found(files: RunFiles, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rows, or the reason why there are none."""
    if rows:
        return {"rows": rows}
    return {"missing": UNLABELLED if suites_of(files.evaluation, GLOBAL) else MISSING}
