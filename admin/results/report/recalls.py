"""Recall at 5: of the best model at each site, and of each model on each site's test split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.results.report.data_statement import LEAST
from admin.results.report.run_files import RunFiles
from admin.results.report.share_intervals import Interval, mean_of, wilson
from admin.results.report.suite_numbers import GLOBAL, LOCAL, counts_of_test, recall_at_5, retrieval, suites_of

ROUGH = (
    "Intervals are Wilson's at 95 % and count every study as another patient: they are too narrow if patients have "
    "several studies. Chance assumes that all reports differ: it is too low if some are equal. The job evaluate_global "
    "measures both."
)
BOOTSTRAP = "Intervals are from the evaluation: 95 %, by bootstrap over patients."
NOT_ACROSS = (
    "No model was measured across the sites. Run the job evaluate_global; then make this page again with --evaluation "
    "and the run folder of that job."
)
MANY, RECALL = 5, "recall_at_"


def chance_at_5(texts: int) -> float:
    """Return the recall at 5 of a blind guess at a site with that many different texts.

    For images it is exact. A text with several images may find any of them among all images, so its chance is about the
    same, and not higher.
    """
    return min(1.0, MANY / texts)


def headline(files: RunFiles) -> dict[str, Any]:
    """Return recall at 5 of the best model at each site, the mean and the worst site, with intervals and chance.

    A site that took no part in training is ``unseen``: it is in no mean, and not the worst.
    Sites with a test split that is absent or too small are named under ``untested``.
    """
    rows = [{**row, "unseen": row["site"] in files.unseen} for row in rows_of_sites(files)]
    trained = [row for row in rows if not row["unseen"]]
    untested = [site for site in [*files.sites, *files.unseen] if site not in {row["site"] for row in rows}]
    out: dict[str, Any] = {
        "sites": rows,
        "untested": untested,
        "note": BOOTSTRAP if suites_of(files.evaluation, GLOBAL) else ROUGH,
    }
    if not trained:
        return out | {"missing": "Not reported: no site has a test split with enough studies."}
    worst = min(trained, key=lambda row: row["recall_at_5"]["value"])
    mean = mean_of([Interval(**row["recall_at_5"]) for row in trained])
    chance = sum(row["chance"] for row in trained) / len(trained)
    return out | {"mean": {"recall_at_5": mean.as_dict(), "chance": chance}, "worst": worst}


def rows_of_sites(files: RunFiles) -> list[dict[str, Any]]:
    """Return one row per site with a test split, from the evaluation if there is one, else from the run."""
    suites = suites_of(files.evaluation, GLOBAL)
    if suites:
        found = {site: retrieval(suite) for site, suite in sorted(suites.items())}
        return [row_of(site, recalls, **counts_of_test(suites[site])) for site, recalls in found.items() if recalls]
    measured = {**files.results["best"], **files.results.get("unseen", {})}
    splits = {site: measured.get(site, {}).get("test") for site in [*files.sites, *files.unseen]}
    return [row_of_run(site, test) for site, test in splits.items() if test and test["studies"] >= LEAST]


def row_of_run(site: str, test: Mapping[str, float]) -> dict[str, Any]:
    """Return a site's row from the run's own test metrics, in which all texts count as different."""
    studies = int(test["studies"])
    recalls = {name: wilson(value, studies) for name, value in test.items() if RECALL in name}
    return row_of(site, recalls, studies=studies, texts=studies)


def row_of(site: str, recalls: Mapping[str, Interval], *, studies: int, texts: int) -> dict[str, Any]:
    """Return a site's row; ``recalls`` are those at 1, 5 and 10, in each direction and the mean of both."""
    found = {name: recall.as_dict() for name, recall in recalls.items() if RECALL in name}
    head = {"site": site, "studies": studies, "recall_at_5": found["recall_at_5"]}
    return head | {"chance": chance_at_5(texts), "recalls": found}


def cross_sites(files: RunFiles) -> dict[str, Any]:
    """Return rows of models, columns of sites, cells of recall at 5, and the reasons for models not evaluated.

    A cell is null if the site sent no result, or has too few patients.
    """
    models = (files.evaluation or {}).get("models", {})
    if not models:
        return {"missing": NOT_ACROSS}
    sites = sorted({site for suites in models.values() for site in suites})
    order = sorted(models, key=lambda name: (name != GLOBAL, name))
    rows = [
        {"model": shown(name), "own": name.removeprefix(LOCAL), "cells": cells(files, name, sites)} for name in order
    ]
    reasons = (files.evaluation or {}).get("left_out", {})
    left_out = [
        {"model": shown(name), "site": site, "reason": reason}
        for name in sorted(reasons)
        for site, reason in sorted(reasons[name].items())
    ]
    return {"sites": sites, "unseen": files.unseen, "rows": rows, "left_out": left_out}


def cells(files: RunFiles, model: str, sites: list[str]) -> list[dict[str, float] | None]:
    """Return a model's recall at 5 on each of the sites."""
    suites = suites_of(files.evaluation, model)
    found = [recall_at_5(suites.get(site, {})) for site in sites]
    return [recall.as_dict() if recall else None for recall in found]


def shown(model: str) -> str:
    """Return the name of a model on the page."""
    if model == GLOBAL:
        return "shared model"
    return f"{model.removeprefix(LOCAL)} alone" if model.startswith(LOCAL) else model
