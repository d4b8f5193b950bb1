"""A running job's progress as one JSON object a line, for a program that watches it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from admin.session.job_progress import Progress

EVENT = "progress"
QUIET_SECONDS = 10.0  # after which an object is written although only the time has changed


class ProgressLines:
    """Hands on an object when more than the time has changed, and at least every :data:`QUIET_SECONDS`.

    Args:
        job_id: of the job.
        write: takes each object.
    """

    def __init__(self, job_id: str, write: Callable[[dict[str, Any]], None]) -> None:
        self.job_id, self.write = job_id, write
        self._news: dict[str, Any] = {}
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        """Take an answer of the controller."""
        news, now = facts(progress), time.monotonic()
        if news == self._news and now < self._next:
            return
        self._news, self._next = news, now + QUIET_SECONDS
        times = {"elapsed_seconds": progress.elapsed, "remaining_seconds": progress.remaining}
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.write({"event": EVENT, "time": at, "job_id": self.job_id, **news, **times})


def facts(progress: Progress) -> dict[str, Any]:
    """Return the state without its times."""
    return {
        "phase": progress.phase,
        "round": min(progress.current_round + 1, progress.num_rounds),
        "rounds": progress.num_rounds,
        "sites": list(progress.sites),
        "losses": dict(sorted(progress.site_losses.items())),
        "weights": dict(sorted(progress.site_weights.items())),
        "bytes_down": progress.bytes_down,
        "bytes_up": progress.bytes_up,
        "notes": list(progress.notes),
    }
