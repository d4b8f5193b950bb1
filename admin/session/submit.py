"""Submit a packaged job."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.folder import META, read_object
from admin.jobs.job_check import check_job
from fedaid.errors import require


def submit(session: Session, job: Path) -> str:
    """Submit the job and return the id that the server gave it.

    FLARE signs a job folder in place, so a copy is submitted and the packaged folder stays unchanged.

    Raises:
        InputError: the job is invalid, or needs more sites than are connected.
    """
    check_job(job, local_folders=False)
    require_enough_sites(session, job)
    with tempfile.TemporaryDirectory(prefix="fedaid-submit-") as folder:
        return str(session.submit_job(str(shutil.copytree(job, Path(folder) / job.name))))


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
