"""The part of a run that one job does: it ends after a round if a site came back that the job goes on without."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_progress import Progress
from admin.session.login import REFUSED

IDLE = "no_jobs"  # FLARE's status of a site without a job


class Segment:
    """Ends a job that goes on without a connected site of the run, so that the next job has all sites.

    FLARE gives a job to the sites that are connected when it starts. The run store has every committed round, so a job
    that ends just after a commit loses at most a second of work.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        rounds: that the job commits at least before it is ended; 0 to never end it.
        without: sites that left the run for good.
        say: gets one line when the job is ended.

    Attributes:
        sites: of the run, as the controller named them.
        ended: whether the job was ended for a site.
    """

    def __init__(
        self, session: Session, job_id: str, *, rounds: int, without: Collection[str], say: Callable[[str], None]
    ) -> None:
        self.session, self.job_id, self.rounds, self.say = session, job_id, rounds, say
        self.without = frozenset(without)
        self.sites: set[str] = set()
        self.ended = False
        self._first: int | None = None
        self._last = 0

    def notice(self, progress: Progress) -> None:
        """Look at the sites when a round was committed, and end the job if one of them should be in it."""
        self.sites |= progress.site_weights.keys() - self.without
        if self._first is None:
            self._first = self._last = progress.current_round
        committed, self._last = progress.current_round > self._last, progress.current_round
        far_enough = progress.current_round - self._first >= self.rounds > 0
        if self.ended or not committed or not far_enough or progress.current_round >= progress.num_rounds:
            return
        back = self.left_out()
        if back:
            self.end(back, progress.current_round)

    def left_out(self) -> list[str]:
        """Return the sites of the run that are connected, but do not work on the job."""
        with suppress(*REFUSED, RuntimeError):  # a site that does not answer is none of them
            entries = self.session.get_client_job_status() or []
            working = {name_of(entry) for entry in entries if entry.get("job_id") == self.job_id}
            idle = {name_of(entry) for entry in entries if entry.get("status") == IDLE}
            return sorted((idle - working) & self.sites)
        return []

    def end(self, back: list[str], committed: int) -> None:
        """Abort the job; whatever it has not committed is done again by the next one."""
        with suppress(*REFUSED):  # it may have ended by itself
            self.session.abort_job(self.job_id)
            self.ended = True
            names = ", ".join(back)
            self.say(f"site {names} is back: ended job {self.job_id} after round {committed}, to go on with {names}")


def name_of(entry: Any) -> str:
    """Return the site of an entry of ``Session.get_client_job_status``."""
    return str(entry.get("client_name"))
