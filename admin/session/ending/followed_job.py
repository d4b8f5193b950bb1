"""A submitted job, followed from its begin to its downloaded results."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.results.failure import failure_reason
from admin.session.download import download
from admin.session.follow import COMPLETED, JobWatch, monitor
from admin.session.job_progress import Progress

LONGEST_RUN = 900.0  # seconds
POLL_SECONDS = 0.5


def begun(session: Session, job_id: str) -> str:
    """Wait until the job's controller answers, or until the job has ended, and return the id."""
    answers: list[Progress] = []
    job = JobWatch(session, job_id, on_progress=answers.append)
    while not answers and not job.look().startswith("FINISHED"):
        time.sleep(POLL_SECONDS)
    return job_id


def unwatched(progress: Progress) -> None:
    """Show nothing: the job runs beside another that is shown."""


def finished(session: Session, job_id: str, out: Path, *, watch: Callable[[Progress], None] = unwatched) -> Path:
    """Follow the job to its end, download its run folder and return it.

    Args:
        session: a session that is logged in.
        job_id: of a submitted job.
        out: folder of the downloads.
        watch: gets its progress.
    """
    status = monitor(session, job_id, on_progress=watch, timeout=LONGEST_RUN, poll=POLL_SECONDS)
    run_folder = download(session, job_id, out) / "workspace"
    if status != COMPLETED:
        reason = failure_reason(run_folder / "log.txt") or f"the job ended as {status}"
        raise RuntimeError(f"{reason} (see {run_folder / 'log.txt'})")
    return run_folder
