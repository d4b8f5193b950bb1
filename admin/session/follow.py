"""Follow a job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from nvflare.fuel.flare_api.api_spec import TargetType
from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_progress import Progress, read_progress

POLL_SECONDS = 1.0
UNREADY = 3  # polls this many times less often while the job starts: every request logs a traceback then
COMPLETED = "FINISHED:COMPLETED"


def monitor(
    session: Session,
    job_id: str,
    *,
    on_progress: Callable[[Progress], None],
    timeout: float,
    poll: float = POLL_SECONDS,
) -> str:
    """Wait for the job's end and return its final status; ``FINISHED:COMPLETED`` means success.

    Args:
        session: a session that is logged in.
        job_id: the result of :func:`admin.session.submit.submit`.
        on_progress: called about every ``poll`` seconds while the controller answers.
        timeout: seconds to wait; the job continues after a timeout.
        poll: seconds between two requests.

    Raises:
        TimeoutError: the job did not finish in time.
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
    """Return the job's progress, or None while it starts and ends; FLARE answers with errors then."""
    try:
        return read_progress(session.show_stats(job_id, TargetType.SERVER))
    except Exception:  # only the display needs the progress; the next status request reports a lost connection
        return None
