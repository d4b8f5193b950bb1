"""The part of a run that one job does: it ends early for a site that came back, and for one that was restarted."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress

from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_process import site_states
from admin.session.job_progress import Progress
from admin.session.login import REFUSED

LOOK_SECONDS = 10.0  # between two questions to the sites


class Segment:
    """Ends a job that works without a connected site of the run, so that the next job has all sites.

    FLARE gives a job to the sites that are connected when it starts. The run store has every committed round, so a job
    that ends just after a commit loses at most a second of work.

    When a site's client is killed and started again, FLARE does not tell the job that its process there is gone. If the
    phase needs that site's answer, it would wait for the whole ``task_timeout``: such a job is ended at once.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        rounds: that the job commits at least before it is ended for a site that came back; 0 to never end it.
        least: sites whose answers a phase needs.
        without: sites that left the run for good.
        say: gets one line when the job is ended.

    Attributes:
        sites: of the run, as the controller named them.
        ended: whether the job was ended for a site.
        asked: whether the server was asked to end it, even if the answer was lost.
        lost: sites that were restarted while the job waited for them.
    """

    def __init__(
        self,
        session: Session,
        job_id: str,
        *,
        rounds: int,
        least: int,
        without: Collection[str],
        say: Callable[[str], None],
    ) -> None:
        self.session, self.job_id, self.rounds, self.least, self.say = session, job_id, rounds, least, say
        self.without = frozenset(without)
        self.sites: set[str] = set()
        self.ended, self.asked, self.lost = False, False, tuple[str, ...]()
        self._first: int | None = None
        self._last = 0
        self._worked, self._gone, self._next_look = set[str](), set[str](), 0.0

    def notice(self, progress: Progress) -> None:
        """Look at the sites, and end the job if one of them should be in it."""
        self._require_workers()
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
        return sorted(site_states(self.session, self.job_id)[1] & self.sites)

    def _require_workers(self) -> None:
        """End the job if a phase cannot have enough answers; two looks, since a site has no process at a job's end."""
        now = time.monotonic()
        if self.ended or now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        working, idle = site_states(self.session, self.job_id)
        self._worked |= working
        before, self._gone = self._gone, idle & self._worked
        lost = sorted(before & self._gone)
        if lost and len(self._worked - self._gone) < self.least:
            self._abort()
            self.lost = tuple(lost) if self.ended else ()

    def end(self, back: list[str], committed: int) -> None:
        """Abort the job for sites that came back; whatever it has not committed is done again by the next one."""
        self._abort()
        if self.ended:
            names = ", ".join(back)
            self.say(f"site {names} is back: ended job {self.job_id} after round {committed}, to go on with {names}")

    def _abort(self) -> None:
        self.asked = True  # the order may arrive although its answer does not
        with suppress(*REFUSED):  # it may have ended by itself
            self.session.abort_job(self.job_id)
            self.ended = True
