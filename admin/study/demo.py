"""The main job from end to end on one machine: three synthetic exports, prepared, a POC federation, a trained model.

python -m admin demo
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console

from admin.federation.poc import PocFederation
from admin.jobs.package import package_job
from admin.jobs.settings import settable, values_by_name
from admin.results.curves import draw_curves
from admin.results.failure import failure_reason
from admin.results.report.command import write_report
from admin.results.result_table import show_table
from admin.results.run_results import RunResults, read_results
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.progress_display import ProgressDisplay
from admin.session.submit import submit
from admin.study.demo_sites import PreparedSite, prepare_sites
from admin.twin.export import export_consortium
from admin.twin.hospital import DEMO_HOSPITALS

FOLDER = Path("build/demo")
ROUNDS = 5
IMAGE_SIZE = "persistor.model.image_size"  # the setting of the job
LONGEST_RUN = 900.0  # seconds
PRETRAIN_STEPS = 30
INTERRUPTED = 130  # exit code, as a shell gives it


@dataclass(frozen=True)
class Trained:
    """What the federation leaves: the prepared sites, the run's results, and the run folder of the evaluation."""

    sites: Sequence[PreparedSite]
    results: RunResults
    evaluation: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code: 0 trained, 1 failed, 130 interrupted; the federation is always stopped."""
    parser = argparse.ArgumentParser(prog="python -m admin demo", description="Train on three synthetic hospitals.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s; replaced")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    console, started = Console(), time.monotonic()
    summary: dict[str, Any] = {"status": "interrupted"}
    try:
        new_folder(options.folder)
    except FileExistsError as error:
        console.print(f"[red]failed:[/red] {error}", highlight=False)
        return 1
    try:
        trained = train(options.folder, options.rounds, console)
        show_table(trained.results, console)
        draw_curves(trained.results, options.folder / "curves.png")
        write_card(trained, options.folder)
        model, seconds = keep_model(trained.results, options.folder), time.monotonic() - started
        summary = summarise(trained.results, trained.sites, model=model, seconds=seconds)
    except KeyboardInterrupt:
        console.print("interrupted; the federation is stopped")
        return INTERRUPTED
    except Exception as error:
        summary = {"status": "failed", "error": str(error)}
        console.print(f"[red]failed:[/red] {error}", highlight=False)
        return 1
    finally:
        write_summary(options.folder, summary)
    for name in ("report.html", "model", "curves.png", "summary.json"):
        console.print(f"{name:13s}{options.folder / name}", highlight=False)
    console.print(f"done in {summary['seconds']:.0f} s", highlight=False)
    return 0


def new_folder(folder: Path) -> None:
    """An empty demo folder; what a former demo left is removed, nothing else is."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "summary.json").is_file():
        raise FileExistsError(f"folder must be absent or a former demo's, got other files: {folder}. Give another one.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_summary(folder, {"status": "running"})


def train(folder: Path, rounds: int, console: Console) -> Trained:
    """Write the exports, prepare the sites, start the federation, run the jobs in it, fetch the results, stop it."""
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
    """Make a site dataset of each export, its images of the size that the job's model takes."""
    image_size: Any = settable(job)[IMAGE_SIZE]
    sites = []
    for site in prepare_sites(exports, out, image_size=image_size):
        console.print(f"  {site.name}: {site.studies} studies, {site.quarantined} quarantined", highlight=False)
        sites.append(site)
    return sites


def run_job(kit: Path, job: Path, out: Path) -> Path:
    """Submit the job as the project admin, follow it, and return the run folder that was fetched."""
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
    """Write the report card and return its page; the hospitals are synthetic, so that it may show films and reports."""
    run_folder = trained.results.model.parents[2]
    return write_report(
        run_folder, out=folder, evaluation=trained.evaluation, sites=folder / "sites", allow_examples=True
    )


def summarise(results: RunResults, prepared: Sequence[PreparedSite], *, model: Path, seconds: float) -> dict[str, Any]:
    """The run in a few numbers; recalls are those of the test split, the mean of both ways."""
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


if __name__ == "__main__":
    sys.exit(main())
