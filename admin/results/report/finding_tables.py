"""Zero-shot findings, linear probe, calibration, subgroup gaps and geometry of the shared model, one row per site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.results.report.run_files import RunFiles
from admin.results.report.suite_numbers import GLOBAL, Suite, suites_of

MISSING = (
    "Not measured: the training run validates retrieval only. The job evaluate_global measures it; make this page "
    "again with --evaluation and the run folder of that job."
)
UNLABELLED = "No site has labels, or patients enough, to measure this."


def zero_shot(files: RunFiles) -> dict[str, Any]:
    """Each finding at each site: AUROC, average precision and F1 with intervals, and whether it looks inverted.

    A measure is null where there are too few patients with or without the finding.
    """
    rows = [
        {"site": site, "finding": finding, **numbers}
        for site, part in parts(files, "zero_shot").items()
        for finding, numbers in part["findings"].items()
    ]
    macro = {site: part["macro_auroc"] for site, part in parts(files, "zero_shot").items()}
    told = any(row[measure] for row in rows for measure in ("auroc", "average_precision", "f1"))
    return found(files, rows if told else []) | {"macro_auroc": macro, "prompt_sets": prompt_sets(files)}


def prompt_sets(files: RunFiles) -> list[str]:
    """Names of the prompt sets that the sites used."""
    return sorted({str(part["prompt_set"]) for part in parts(files, "zero_shot").values()})


def linear_probe(files: RunFiles) -> dict[str, Any]:
    """Each share of the labels at each site: mean AUROC over the findings of a linear model on image embeddings."""
    rows = [
        {"site": site, "share": float(share), **numbers}
        for site, part in parts(files, "linear_probe").items()
        for share, numbers in part.items()
        if numbers["macro_auroc"]
    ]
    return found(files, rows)


def calibration(files: RunFiles) -> dict[str, Any]:
    """Calibration error at each site by what gave the probabilities; 0 is best."""
    rows = [
        {"site": site, "of": of, "error": numbers["value"], "findings": len(numbers["findings"])}
        for site, part in parts(files, "calibration").items()
        for of, numbers in part.items()
        if numbers["value"] is not None
    ]
    return found(files, rows)


def subgroups(files: RunFiles) -> dict[str, Any]:
    """Each group at each site with its recall and AUROC, and how far the best group of its kind is from the worst.

    Groups below the least number of patients are told by a band of patients only.
    """
    rows, gaps = [], []
    for site, part in parts(files, "subgroups").items():
        for kind, split in part.items():
            rows += [{"site": site, "kind": kind, "group": name, **group} for name, group in split["groups"].items()]
            gaps += [{"site": site, "kind": kind, "of": of, **gap} for of, gap in split["gap"].items() if gap]
    return found(files, rows) | {"gaps": gaps}


def geometry(files: RunFiles) -> dict[str, Any]:
    """How the embeddings of each site's test split lie: alignment, uniformity of either modality, the gap between."""
    return found(files, [{"site": site, **part} for site, part in parts(files, "geometry").items()])


def parts(files: RunFiles, name: str) -> dict[str, Suite]:
    """Site → one part of its suite of the shared model, where it is not null."""
    suites: Mapping[str, Suite] = suites_of(files.evaluation, GLOBAL)
    return {site: suite[name] for site, suite in sorted(suites.items()) if suite.get(name)}


def found(files: RunFiles, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows, or what to say in their place."""
    if rows:
        return {"rows": rows}
    return {"missing": UNLABELLED if suites_of(files.evaluation, GLOBAL) else MISSING}
