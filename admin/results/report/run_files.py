"""The files of a finished run that the report card reads, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.jobs.folder import CONFIGS, read_object
from admin.results.file_hash import sha256
from admin.results.run_results import STORE, read_results
from fedaid.errors import require
from fedaid.models.saved_model import WEIGHTS
from fedaid.sealed_folder import require_whole

EVALUATION, SCHEMA_VERSION = "evaluation.json", "2"


@dataclass(frozen=True)
class RunFiles:
    """A finished run.

    Attributes:
        folder: the run folder, with ``app_server``.
        results: ``results.json``, unchanged.
        configs: name → config file of the job, as shipped; empty if the folder has none.
        meta: FLARE's facts of the job; empty if the folder has none, as after a simulation.
        model: folder of the best model.
        evaluation: ``evaluation.json`` of the evaluation job, or None.
        evaluation_file: its path; the file may be absent.
    """

    folder: Path
    results: Mapping[str, Any]
    configs: Mapping[str, Any]
    meta: Mapping[str, Any]
    model: Path
    evaluation: Mapping[str, Any] | None
    evaluation_file: Path

    @property
    def sites(self) -> list[str]:
        """Names of all sites of the run, in alphabetical order."""
        return sorted({*self.results["site_weights"], *self.results["best"]})

    @property
    def unseen(self) -> list[str]:
        """Names of sites that took no part in training and evaluated the best model."""
        return sorted(self.results.get("unseen", {}))

    @property
    def controller(self) -> Mapping[str, Any]:
        """Arguments of the job's controller; empty without a server config."""
        workflows = self.configs.get("config_fed_server.json", {}).get("workflows", [])
        found: Mapping[str, Any] = workflows[0].get("args", {}) if workflows else {}
        return found


def read_run_files(run_folder: Path, evaluation: Path | None = None) -> RunFiles:
    """Return the files of a finished run.

    Args:
        run_folder: as :func:`admin.results.run_results.read_results` takes it.
        evaluation: run folder of the evaluation job; None reads ``evaluation.json`` of ``run_folder``, if present.

    Raises:
        InputError: if the run did not finish, a file is not JSON, or the evaluation is absent or of another model.
    """
    store = run_folder / STORE
    model = read_results(run_folder).model
    judged = (evaluation or run_folder) / STORE / EVALUATION
    remedy = "Give the run folder of a finished evaluate_global job, or leave --evaluation out."
    there = evaluation is None or judged.is_file()
    got = "a folder without it"
    require(there, "--evaluation", f"hold {EVALUATION}", got=got, where=str(judged.parent), remedy=remedy)
    require_whole(judged.parent)
    found = read_object(judged) if judged.is_file() else None
    require_readable(found or {}, where=str(judged))
    require_same_model(found or {}, model, where=str(judged))
    config = run_folder / "app_server" / "config"
    return RunFiles(
        folder=run_folder,
        results=read_object(store / "results.json"),
        configs={name: read_object(config / name) for name in CONFIGS if (config / name).is_file()},
        meta=newest_meta(run_folder),
        model=model,
        evaluation=found,
        evaluation_file=judged,
    )


def require_readable(evaluation: Mapping[str, Any], *, where: str) -> None:
    """Raise an error for an evaluation whose suites have another schema version than the card reads."""
    suites = [suite for by_site in evaluation.get("models", {}).values() for suite in by_site.values()]
    other = sorted({str(suite.get("schema_version")) for suite in suites} - {SCHEMA_VERSION})
    rule, remedy = f"have suites of schema version {SCHEMA_VERSION}", "Use the job evaluate_global of this version."
    require(not other, "--evaluation", rule, got=", ".join(other), where=where, remedy=remedy)


def require_same_model(evaluation: Mapping[str, Any], model: Path, *, where: str) -> None:
    """Raise an error for an evaluation of another model than the run's best model."""
    evaluated = evaluation.get("global_model", {}).get("sha256")
    if evaluated is None:
        return
    found, remedy = sha256(model / WEIGHTS), "Evaluate this run's model: package evaluate_global with --model."
    require(
        evaluated == found,
        "--evaluation",
        f"be of the model {found[:12]}…",
        got=evaluated[:12],
        where=where,
        remedy=remedy,
    )


def newest_meta(run_folder: Path) -> Mapping[str, Any]:
    """Return the job's ``meta.json``: that of the download folder, else that of the run folder, else nothing."""
    for file in (run_folder.parent / "meta.json", run_folder / "meta.json"):
        if file.is_file() and "job_id" in (found := read_object(file)):
            return found
    return {}
