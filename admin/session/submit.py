"""Submit a packaged job."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.code_wheel import unlisted_classes
from admin.jobs.folder import META, read_object
from admin.jobs.job_check import check_job
from admin.jobs.plan import lacks_plan
from admin.session.run_jobs import mark_run
from fedaid.errors import require


def submit(session: Session, job: Path) -> str:
    """Check the job, submit it and return the id that the server gave it.

    Raises:
        InputError: the job is invalid, or needs more sites than are connected.
    """
    check_job(job, local_folders=False)
    require_enough_sites(session, job)
    return send(session, job)


def submission_warnings(job: Path) -> list[str]:
    """Return what the lead should know before a job is submitted, a line each; the job may be fine all the same."""
    how = f"python -m admin plan {job} --sites S --studies N --bandwidth-mbit B --measure --write"
    unplanned = [f"no plan has checked the timeouts of {job.name}: {how}"] if lacks_plan(job) else []
    return [*unplanned, *unlisted_classes(job)]


def send(session: Session, job: Path, *, attempt: int = 1) -> str:
    """Submit a checked job and return the id that the server gave it.

    FLARE signs a job folder in place, so a copy is submitted and the packaged folder stays unchanged. The copy's
    meta.json names the run, so that :func:`admin.session.run_jobs.jobs_of_run` finds the job.

    Args:
        session: a session that is logged in.
        job: a packaged job.
        attempt: number of this job in its run, from 1.
    """
    with tempfile.TemporaryDirectory(prefix="fedaid-submit-") as folder:
        copy = shutil.copytree(job, Path(folder) / job.name)
        mark_run(copy, attempt=attempt)
        return str(session.submit_job(str(copy)))


def require_enough_sites(session: Session, job: Path) -> None:
    """Refuse a job that needs more sites than are connected: the server would let it wait without a message."""
    least = int(read_object(job / META)["min_clients"])
    sites = sorted(client.name for client in session.get_connected_client_list())
    require(
        least <= len(sites),
        "min_clients",
        "not be above the number of connected sites",
        got=f"{least} with {len(sites)} connected ({', '.join(sites) or 'none'})",
        where=f"{job.name}/{META}",
        remedy="Start the missing sites, or package the job again with --set min_clients=N.",
    )
