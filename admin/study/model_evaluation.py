"""Evaluate a trained model on sites' data on this machine, like the job ``evaluate_global`` at the sites."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from admin.jobs.package import JOBS, prompt_settings
from admin.jobs.settings import training_settings, values_by_name
from admin.model.export.source import hash_of, refusal
from admin.results.report.suite_numbers import GLOBAL, retrieval
from admin.results.report.wording import plain
from fedaid.data.site_data import SiteData
from fedaid.errors import require
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.flare.site.site_evaluation import evaluate_site
from fedaid.models.saved_model import load_model
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

JOB = "evaluate_global"
LEAST_STUDIES = 2  # a batch needs as many studies in its split
RECALLS = ("recall_at_5", "image_to_text_recall_at_5", "text_to_image_recall_at_5")
HEADS = (
    "site",
    "studies",
    "guess",
    "recall at 5",
    "image to report",
    "report to image",
    "zero-shot AUROC",
    "zero-shot mAP",
    "accuracy of 5",
    "probe AUROC",
)


def evaluate_model(folder: Path, sites: Mapping[str, Path], *, prompts: Path | None = None) -> dict[str, Any]:
    """Return the suite's result for every site, in the format of the job's ``evaluation.json``.

    The settings are the job's, so the job would report the same numbers. If a site was not prepared, its images are
    decoded into a temporary folder.

    Args:
        folder: the model's folder, as a run wrote it.
        sites: name → data folder.
        prompts: file of own findings to measure, too.

    Raises:
        InputError: the folder has no such model, or a site's data are invalid.
    """
    with refusal("MODEL_FOLDER", "be a model that a run left", where=str(folder)):
        digest = hash_of(folder)
        load_model(folder)
    suites, data, settings = {}, {}, evaluation_settings(prompts)
    for site, root in sites.items():
        with tempfile.TemporaryDirectory(prefix="fedaid-evaluate-") as cache:
            worker = worker_of(folder, DataFolders(root, Path(cache)), site)
            suites[site] = evaluate_site(worker, settings)
        data[site] = {"counts": suites[site]["counts"], "skipped": dict(worker.data.skipped)}
    return {"global_model": {"sha256": digest}, "models": {GLOBAL: suites}, "data": data}


def worker_of(folder: Path, folders: DataFolders, site: str) -> SiteWorker:
    """Return a worker with the model and the site's data."""
    model = load_model(folder)
    data = folders.load(model.configuration)
    return SiteWorker(model, data, fitting(training_settings(JOBS / JOB), data, site), site=site)


def fitting(settings: TrainingSettings, data: SiteData, site: str) -> TrainingSettings:
    """Return the job's settings, with smaller batches for a site that cannot fill one.

    Raises:
        InputError: the site has too few studies for a batch.
    """
    sizes = {"train": len(data.train), "valid": len(data.valid)}
    for split, size in sizes.items():
        rule, remedy = f"have at least {LEAST_STUDIES} usable {split} studies", "Run python -m admin doctor on it."
        require(size >= LEAST_STUDIES, "SITE_DIR", rule, got=size, where=f"site {site}", remedy=remedy)
    batch, valid = min(settings.batch_size, sizes["train"]), min(settings.valid_batch_size, sizes["valid"])
    return replace(settings, batch_size=batch, valid_batch_size=valid)


def evaluation_settings(prompts: Path | None = None) -> EvaluationSettings:
    """Return the settings of the job's evaluation, with the own findings of a file."""
    values = values_by_name(JOBS / JOB)
    values |= prompt_settings(prompts, stands=values, job=JOB) if prompts else {}
    names = [field.name for field in fields(EvaluationSettings)]
    return EvaluationSettings(**{name: values[name] for name in names if name in values})


def evaluation_table(evaluation: Mapping[str, Any]) -> str:
    """Return a table with a row per site: recall at 5 with that of a guess, and mean AUROCs, with intervals."""
    rows = [HEADS, *(site_row(site, suite) for site, suite in evaluation["models"][GLOBAL].items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    padded = [[f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join(row).rstrip() for row in padded)


def site_row(site: str, suite: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of one site."""
    counts, found = suite["counts"]["test"], retrieval(suite)
    recalls = [found[name].as_dict() if name in found else None for name in RECALLS]
    part = suite["zero_shot"] or {}
    zero_shot = [
        part.get("macro_auroc"),
        part.get("macro_average_precision"),
        part.get("multiclass", {}).get("accuracy"),
    ]
    probe = (suite["linear_probe"] or {}).get("1.0", {}).get("macro_auroc")
    guess = f"{min(1.0, 5 / counts['texts']):.2f}" if counts["texts"] else "-"
    shown = [plain(found) for found in (*recalls, *zero_shot, probe)]
    return (site, str(counts["studies"]), guess, *shown)
