"""Run the main job end to end on one machine: prepare three synthetic exports, start a POC federation, train."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from rich.console import Console

from admin.federation.poc import PocFederation
from admin.jobs.package import package_job
from admin.jobs.settings import settable, values_by_name
from admin.results.curves import draw_curves
from admin.results.failure import failure_reason
from admin.results.report.report_files import write_report
from admin.results.run_results import RunResults, read_results
from admin.session.display.progress_display import ProgressDisplay
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import submit
from admin.study.demo_sites import PreparedSite, prepare_sites
from admin.twin.export import export_consortium
from admin.twin.hospital import DEMO_HOSPITALS

IMAGE_SIZE = "persistor.model.image_size"  # the setting of the job
LONGEST_RUN = 900.0  # seconds
PRETRAIN_STEPS = 30


@dataclass(frozen=True)
class Trained:
    """Results of the federation: the prepared sites, the run's results, and the run folder of the evaluation."""

    sites: Sequence[PreparedSite]
    results: RunResults
    evaluation: Path


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
        trained = train(folder, rounds, console)
        draw_curves(trained.results, folder / "curves.png")
        write_card(trained, folder)
        model = keep_model(trained.results, folder)
        summary = summarise(trained.results, trained.sites, model=model, seconds=time.monotonic() - started)
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


def train(folder: Path, rounds: int, console: Console) -> Trained:
    """Write the exports, prepare the sites, start a federation, run the jobs, download the results, stop it."""
    console.print(f"[bold]1[/bold] Writing three hospitals' exports of films and reports below {folder / 'exports'}")
    exports = export_consortium(folder / "exports", hospitals=DEMO_HOSPITALS)
    common = {"num_rounds": rounds, "min_clients": len(exports), "threads": 1}
    job = package_job("fedaid_pretrain", out=folder / "jobs", settings=common | {"pretrain_steps": PRETRAIN_STEPS})
    steps = values_by_name(job)["align_steps"] + PRETRAIN_STEPS
    alone = package_job("local_pretrain", out=folder / "jobs", settings=common | {"pretrain_steps": steps})
    console.print(f"[bold]2[/bold] Preparing each hospital's dataset below {folder / 'sites'}")
    sites = prepare_hospitals(exports, folder / "sites", job=job, console=console)
    roots = {site.name: site.root for site in sites}
    with PocFederation(folder / "poc", list(roots), data_roots=roots) as federation:
        console.print(f"[bold]3[/bold] Federation of a server and {', '.join(roots)} on 127.0.0.1:{federation.port}")

        def run(submitted: Path, number: int, what: str) -> Path:
            console.print(f"[bold]{number}[/bold] {what}: job {submitted.name}", highlight=False)
            return run_job(federation.admin_kit, submitted, folder / "download")

        run(alone, 4, "Each hospital alone, for comparison")
        results = read_results(run(job, 5, "All together, nobody's data leaves"))
        evaluate = package_job(
            "evaluate_global",
            out=folder / "jobs",
            model=results.model,
            sites=list(roots),
            settings={"min_clients": len(roots)},
        )
        return Trained(sites, results, run(evaluate, 6, "Every model at every hospital"))


def prepare_hospitals(exports: Mapping[str, Path], out: Path, *, job: Path, console: Console) -> list[PreparedSite]:
    """Make a site dataset of each export, with images of the size of the job's model."""
    image_size: Any = settable(job)[IMAGE_SIZE]
    sites = []
    for site in prepare_sites(exports, out, image_size=image_size):
        console.print(f"  {site.name}: {site.studies} studies, {site.quarantined} quarantined", highlight=False)
        sites.append(site)
    return sites


def run_job(kit: Path, job: Path, out: Path) -> Path:
    """Submit the job as the project admin, follow it, download its run folder and return it."""
    with admin_session(kit) as session:
        job_id = submit(session, job)
        with ProgressDisplay() as display:
            status = monitor(session, job_id, on_progress=display.show, timeout=LONGEST_RUN)
        run_folder = download(session, job_id, out) / "workspace"
    if status != COMPLETED:
        reason = failure_reason(run_folder / "log.txt") or f"the job ended as {status}"
        raise RuntimeError(f"{reason} (see {run_folder / 'log.txt'})")
    return run_folder


def keep_model(results: RunResults, folder: Path) -> Path:
    """Copy the best model out of the download and return its folder."""
    return shutil.copytree(results.model, folder / "model")


def write_card(trained: Trained, folder: Path) -> Path:
    """Write the report card and return its page; it may show films and reports because they are synthetic."""
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
