"""The jobs of a run at the server: each job's meta.json, which FLARE keeps, names its run, attempt and rounds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.folder import META, read_object, write_object
from admin.jobs.settings import change_settings, values_by_name
from admin.session.follow import COMPLETED
from fedaid.flare.software.site_software import PROPERTIES

RUN, ATTEMPT, ROUNDS = "fedaid_run", "fedaid_attempt", "fedaid_rounds"
LIVE = ("SUBMITTED", "APPROVED", "DISPATCHED", "RUNNING")


@dataclass(frozen=True)
class RunJob:
    """One job of a run.

    Attributes:
        job_id: that the server gave it.
        status: FLARE's word, as ``RUNNING`` or ``FINISHED:COMPLETED``.
        attempt: number of this job in its run, from 1.
        rounds: ``num_rounds`` of the job.
    """

    job_id: str
    status: str
    attempt: int
    rounds: int


def run_of(job: Path) -> str:
    """Return the name of the run that a packaged job starts or continues; empty if its run cannot be continued."""
    return str(values_by_name(job).get("run_name") or "")


def rounds_of(job: Path) -> int:
    """Return the number of rounds of a packaged job; 0 if it has no rounds."""
    return int(values_by_name(job).get("num_rounds") or 0)


def mark_run(job: Path, *, attempt: int) -> None:
    """Write run, attempt and rounds into the job's meta.json, and the attempt into its settings.

    A job whose run cannot be continued stays as it is.
    """
    run = run_of(job)
    if not run:
        return
    change_settings(job, {"attempt": attempt})
    meta = read_object(job / META)
    known = {**meta.get(PROPERTIES, {}), RUN: run, ATTEMPT: attempt, ROUNDS: rounds_of(job)}
    write_object(job / META, {**meta, PROPERTIES: known})


def jobs_of_run(session: Session, run: str) -> list[RunJob]:
    """Return the run's jobs that the server knows, in the order of their submission."""
    return [job for meta in session.list_jobs(detailed=True) if (job := from_meta(meta, run)) is not None]


def from_meta(meta: Any, run: str) -> RunJob | None:
    """Return the job that a job's meta describes, or None if it is not one of this run."""
    known = meta.get(PROPERTIES) if isinstance(meta, dict) else None
    if not isinstance(known, dict) or known.get(RUN) != run:
        return None
    return RunJob(str(meta["job_id"]), str(meta.get("status")), int(known.get(ATTEMPT, 1)), int(known.get(ROUNDS, 0)))


def rounds_at_server(session: Session, job_id: str) -> int:
    """Return the number of rounds of a submitted job; 0 if its meta.json does not name them."""
    known = session.get_job_meta(job_id).get(PROPERTIES)
    return int(known.get(ROUNDS, 0)) if isinstance(known, dict) else 0


def job_to_follow(jobs: list[RunJob], *, rounds: int, dead: Collection[str]) -> RunJob | None:
    """Return the newest job if it has completed all rounds, else the newest that is alive; None without one.

    A complete run comes first: FLARE may list older jobs as RUNNING whose processes ended with their server.

    Args:
        jobs: of the run, in the order of their submission.
        rounds: that are wanted; a completed job with fewer is no end of the run.
        dead: ids of jobs that were followed to their end: the server calls one RUNNING although no process of it is
            left, or COMPLETED although it has no results.
    """
    new = [job for job in jobs if job.job_id not in dead]
    alive = [job for job in new if job.status in LIVE]
    done = [job for job in jobs[-1:] if job in new and job.status == COMPLETED and job.rounds >= rounds]
    found = done or alive
    return found[-1] if found else None
