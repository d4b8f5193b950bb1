"""Follows a job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from nvflare.fuel.flare_api.api_spec import TargetType
from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_progress import Progress, read_progress

POLL_SECONDS = 1.0
UNREADY = 3  # a job process that is starting logs a traceback for every question, so it is asked more seldom
COMPLETED = "FINISHED:COMPLETED"


def monitor(
    session: Session,
    job_id: str,
    *,
    on_progress: Callable[[Progress], None],
    timeout: float,
    poll: float = POLL_SECONDS,
) -> str:
    """Return the job's final status, ``FINISHED:COMPLETED`` if all went well.

    Args:
        session: logged in.
        job_id: as :func:`admin.session.submit.submit` returned it.
        on_progress: called about every ``poll`` seconds while the controller answers.
        timeout: seconds to wait; the job goes on when they are over.
        poll: seconds between two looks.

    Raises:
        TimeoutError: the job was not finished in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        status = str(session.get_job_status(job_id))
        if status.startswith("FINISHED"):
            return status
        if time.monotonic() > deadline:
            raise TimeoutError(f"job {job_id} is still {status} after {timeout:.0f} s; it goes on")
        progress = current_progress(session, job_id)
        if progress is not None:
            on_progress(progress)
        pause = poll if progress is not None else UNREADY * poll
        time.sleep(max(0.0, min(pause, deadline - time.monotonic())))


def current_progress(session: Session, job_id: str) -> Progress | None:
    """Return how far the job is, or None while it starts and ends, when FLARE answers such questions with errors."""
    try:
        return read_progress(session.show_stats(job_id, TargetType.SERVER))
    except Exception:  # the display is all that depends on it; a lost connection shows at the next look at the status
        return None
