"""The cross-site matrix: each model on each site's test split."""

from __future__ import annotations

from typing import Any

from admin.results.report.run_files import RunFiles
from admin.results.report.suite_numbers import GLOBAL, LOCAL, recall_at_5, suites_of

MISSING = (
    "No model was measured across the sites. The job evaluate_global does it; make this page again with --evaluation "
    "and the run folder of that job."
)


def cross_sites(files: RunFiles) -> dict[str, Any]:
    """Rows of models, columns of sites, cells of recall at 5, and why what is not there was left out.

    A cell is null where a site gave no result, or has too few patients to tell.
    """
    models = (files.evaluation or {}).get("models", {})
    if not models:
        return {"missing": MISSING}
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
    return {"sites": sites, "rows": rows, "left_out": left_out}


def cells(files: RunFiles, model: str, sites: list[str]) -> list[dict[str, float] | None]:
    """A model's recall at 5 on each of the sites."""
    suites = suites_of(files.evaluation, model)
    found = [recall_at_5(suites.get(site, {})) for site in sites]
    return [recall.as_dict() if recall else None for recall in found]


def shown(model: str) -> str:
    """What a model is called on the page."""
    if model == GLOBAL:
        return "shared model"
    return f"{model.removeprefix(LOCAL)} alone" if model.startswith(LOCAL) else model
