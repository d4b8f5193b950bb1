"""The main job from end to end on one machine: three synthetic hospitals, a POC federation, a trained model.

python -m admin.demo
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console

from admin.curves import draw_curves
from admin.download import download
from admin.failure import failure_reason
from admin.monitor_job import COMPLETED, monitor
from admin.package_job import package_job
from admin.poc import PocFederation
from admin.progress import ProgressDisplay
from admin.result_table import show_table
from admin.run_results import RunResults, read_results
from admin.session import admin_session
from admin.submit_job import submit
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium

FOLDER = Path("build/demo")
ROUNDS = 5
LONGEST_RUN = 900.0  # seconds
INTERRUPTED = 130  # exit code, as a shell gives it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code: 0 trained, 1 failed, 130 interrupted; the federation is always stopped."""
    parser = argparse.ArgumentParser(prog="python -m admin.demo", description="Train on three synthetic hospitals.")
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
        results = train(options.folder, options.rounds, console)
        show_table(results, console)
        draw_curves(results, options.folder / "curves.png")
        summary = summarise(results, model=keep_model(results, options.folder), seconds=time.monotonic() - started)
    except KeyboardInterrupt:
        console.print("interrupted; the federation is stopped")
        return INTERRUPTED
    except Exception as error:
        summary = {"status": "failed", "error": str(error)}
        console.print(f"[red]failed:[/red] {error}", highlight=False)
        return 1
    finally:
        write_summary(options.folder, summary)
    for name in ("model", "curves.png", "summary.json"):
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


def train(folder: Path, rounds: int, console: Console) -> RunResults:
    """Write the hospitals, start the federation, run the job in it, fetch the result, stop the federation."""
    names = [hospital.name for hospital in DEMO_HOSPITALS]
    console.print(f"[bold]1[/bold] Writing three hospitals as DICOM and report files below {folder / 'data'}")
    write_consortium(folder / "data", hospitals=DEMO_HOSPITALS)
    settings = {"num_rounds": rounds, "pretrain_steps": 30, "min_clients": len(names), "threads": 1}
    job = package_job("fedaid_pretrain", out=folder / "jobs", settings=settings)
    console.print(f"[bold]2[/bold] Packaged the job {job}")
    roots = {name: folder / "data" / name for name in names}
    with PocFederation(folder / "poc", names, data_roots=roots) as federation:
        console.print(f"[bold]3[/bold] Federation of a server and {', '.join(names)} on 127.0.0.1:{federation.port}")
        return run_job(federation.admin_kit, job, folder / "download", console)


def run_job(kit: Path, job: Path, out: Path, console: Console) -> RunResults:
    """Submit the job as the project admin, follow it, and fetch its result."""
    with admin_session(kit) as session:
        job_id = submit(session, job)
        console.print(f"[bold]4[/bold] Submitted as job {job_id}", highlight=False)
        with ProgressDisplay() as display:
            status = monitor(session, job_id, on_progress=display.show, timeout=LONGEST_RUN)
        run_folder = download(session, job_id, out) / "workspace"
    if status != COMPLETED:
        reason = failure_reason(run_folder / "log.txt") or f"the job ended as {status}"
        raise RuntimeError(f"{reason} (see {run_folder / 'log.txt'})")
    return read_results(run_folder)


def keep_model(results: RunResults, folder: Path) -> Path:
    """Copy the best model out of the download and return its folder."""
    return shutil.copytree(results.model, folder / "model")


def summarise(results: RunResults, *, model: Path, seconds: float) -> dict[str, Any]:
    """The run in a few numbers; recalls are those of the test split, the mean of both ways."""
    recalls = results.tested("recall_at_5")
    sites = [
        {
            "name": site.name,
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
