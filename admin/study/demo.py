"""Run the main job end to end on one machine: prepare synthetic exports, start a POC federation, train, evaluate."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console

from admin.federation.poc import PocFederation
from admin.results.curves import draw_curves
from admin.results.run_results import RunResults
from admin.study.demo_sites import PreparedSite, Preparing, prepared_beside
from admin.twin.consortia import SMALL_HOSPITALS

if TYPE_CHECKING:
    from admin.study.demo_jobs import Trained

IMAGE_SIZE = 64  # pixels a side, of the datasets and of the model


class Demonstration(NamedTuple):
    """The results of the demo's federated run, and the content of ``summary.json``."""

    results: RunResults
    summary: Mapping[str, Any]


def run_demo(folder: Path, rounds: int, console: Console) -> Demonstration:
    """Train on three synthetic hospitals and write models, curves, report card and summary below ``folder``.

    The federation is always stopped. ``summary.json`` states how the demo ended.

    Args:
        folder: absent, empty, or left by an earlier demo; it is replaced.
        rounds: number of training rounds.
        console: output for the progress.

    Raises:
        FileExistsError: the folder has other files.
        RuntimeError: a job failed.
    """
    started = time.monotonic()
    new_folder(folder)
    summary: dict[str, Any] = {"status": "interrupted"}
    try:
        sites, trained = prepare_and_train(folder, rounds, console)
        draw_curves(trained.results, folder / "curves.png")
        write_card(trained, folder)
        model = keep_model(trained.results, folder)
        summary = summarise(trained.results, sites, model=model, seconds=time.monotonic() - started)
    except Exception as error:
        summary = {"status": "failed", "error": str(error)}
        raise
    finally:
        write_summary(folder, summary)
    return Demonstration(trained.results, summary)


def new_folder(folder: Path) -> None:
    """Make an empty demo folder; only the files of an earlier demo are removed."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "summary.json").is_file():
        raise FileExistsError(f"folder must be absent or a former demo's, got other files: {folder}. Give another one.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_summary(folder, {"status": "running"})


def prepare_and_train(folder: Path, rounds: int, console: Console) -> tuple[list[PreparedSite], Trained]:
    """Prepare the hospitals while a federation of them starts, run the jobs in it and stop it."""
    names = [hospital.name for hospital in SMALL_HOSPITALS]
    console.print(f"[bold]1[/bold] {len(names)} hospitals export films and reports and prepare their datasets")
    with prepared_beside(SMALL_HOSPITALS, folder, image_size=IMAGE_SIZE) as preparing:
        from admin.study.demo_jobs import train, training_jobs  # it loads torch, which takes as long as a hospital

        jobs = training_jobs(folder / "jobs", rounds=rounds, sites=len(names), image_size=IMAGE_SIZE)
        roots = {name: folder / "sites" / name for name in names}
        with PocFederation(folder / "poc", names, data_roots=roots) as federation:
            console.print(f"[bold]2[/bold] A FLARE server and {len(names)} sites run on 127.0.0.1:{federation.port}")
            sites = prepared(preparing, console)
            console.print(f"[bold]3[/bold] {rounds} rounds together, nobody's data leaves; beside it each one alone")
            return sites, train(federation, jobs, folder, say=console.print)


def prepared(preparing: Preparing, console: Console) -> list[PreparedSite]:
    """Wait for every hospital's dataset, and print its size."""
    sites = [site.result() for site in preparing.values()]
    for site in sites:
        console.print(f"  {site.name}: {site.studies} studies, {site.quarantined} quarantined", highlight=False)
    return sites


def keep_model(results: RunResults, folder: Path) -> Path:
    """Copy the best model out of the download and return its folder."""
    return shutil.copytree(results.model, folder / "model")


def write_card(trained: Trained, folder: Path) -> Path:
    """Write the report card and return its page; it may show films and reports because they are synthetic."""
    from admin.results.report.report_files import write_report  # it loads torch

    run_folder = trained.results.model.parents[2]
    return write_report(
        run_folder, out=folder, evaluation=trained.evaluation, sites=folder / "sites", allow_examples=True
    )


def summarise(results: RunResults, prepared: Sequence[PreparedSite], *, model: Path, seconds: float) -> dict[str, Any]:
    """Return the run in a few numbers; recalls are on the test split, the mean of both directions."""
    found = {site.name: site for site in prepared}
    recalls = results.tested("recall_at_5")
    sites = [
        {
            "name": site.name,
            "studies": found[site.name].studies,
            "quarantined": found[site.name].quarantined,
            "pairs": site.pairs,
            "loss": site.loss,
            "recall_at_5": site.test["recall_at_5"],
            "chance_at_5": site.chance_at_5,
            "site_weight": site.site_weight,
        }
        for site in results.sites
    ]
    return {
        "status": "ok",
        "rounds": results.rounds,
        "seconds": round(seconds, 1),
        "sites": sites,
        "mean_recall_at_5": mean(recalls),
        "worst_recall_at_5": min(recalls),
        "model": str(model),
    }


def write_summary(folder: Path, summary: dict[str, Any]) -> None:
    """Write ``summary.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1), encoding="utf-8")
