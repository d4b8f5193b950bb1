"""Follow a job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from nvflare.fuel.flare_api.api_spec import JobNotRunning
from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_process import (
    UNEXPECTED,
    ControllerStats,
    server_restarted,
    site_states,
    sites_without_part,
    two_machines,
    unlike_the_project,
)
from admin.session.job_progress import Progress, absent_reasons

POLL_SECONDS = 1.0
ALARM_SECONDS = 10.0  # between two questions after alarms
RESTART_SECONDS = 3.0  # RUNNING for so long without a process: dead if the server was started after the job
DEAD_SECONDS = 30.0  # the same if the server does not tell when it was started
ENDING_SECONDS = 1020.0  # the same if it was started before: it waits for its sites, for FLARE's 900 s and 60 s to save
DEAD_AFTER = {True: RESTART_SECONDS, None: DEAD_SECONDS, False: ENDING_SECONDS}
UNDER_WAY = ("RUNNING", "DISPATCHED")  # a restarted server leaves these as they are
COMPLETED, ABORTED = "FINISHED:COMPLETED", "FINISHED:ABORTED"


class DeadJob(RuntimeError):
    """The server calls a job RUNNING, but has no process of it: it was restarted, and does not continue a job."""


def silent(line: str) -> None:
    """Print nothing."""


class JobWatch:
    """What is known about a job while it is followed.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        on_progress: called with each answer of the controller.
        say: gets a line for each alarm and for each site without a part in the job, and one if the job's process has
            ended, but the server still waits for sites.
        dead_after: seconds of RUNNING without a process after which the job is dead, by :func:`server_restarted`.

    Attributes:
        committed: rounds that were committed when the controller answered last; None if it never did.
        planned: rounds of the job; None likewise.
    """

    def __init__(
        self,
        session: Session,
        job_id: str,
        *,
        on_progress: Callable[[Progress], None],
        say: Callable[[str], None] = silent,
        dead_after: Mapping[bool | None, float] = DEAD_AFTER,
    ) -> None:
        self.session, self.job_id, self.on_progress, self.say = session, job_id, on_progress, say
        self.dead_after = dead_after
        self._stats = ControllerStats(session, job_id)
        self.committed: int | None = None
        self.planned: int | None = None
        self._absent_since: float | None = None
        self._said = False
        self._alarms, self._next_alarms = set[str](), 0.0

    def look(self) -> str:
        """Return the job's status, and hand what its controller answers to ``on_progress``.

        Raises:
            DeadJob: the server has had no process of the job for too long.
        """
        status = str(self.session.get_job_status(self.job_id))
        self._say_alarms()
        progress = None if status.startswith("FINISHED") else self._progress(status)
        if progress is not None:
            if self.committed is None:
                self._say_who_is_missing(absent_reasons(progress.absences, present=progress.sites))
            self.committed, self.planned = progress.current_round, progress.num_rounds
            self.on_progress(progress)
        return status

    @property
    def absent(self) -> bool:
        """Whether the server had no process of the job at the last look."""
        return self._absent_since is not None

    def _progress(self, status: str) -> Progress | None:
        """Return the job's progress, or None while it starts and ends; FLARE answers with errors then."""
        absent, self._absent_since = self._absent_since, None
        try:
            return self._stats.progress()
        except JobNotRunning:
            if status in UNDER_WAY:
                self._absent_since = time.monotonic() if absent is None else absent
                self._require_process(status)
        except Exception:  # only the display needs the progress; the next status request reports a lost connection
            return None
        return None

    def _require_process(self, status: str) -> None:
        """Refuse a job that has had no process for too long; one look is not enough.

        A job that ends normally has no process for some time either: FLARE calls it finished when each site has said
        that its part has ended. The fact that tells a dead job from an ending one is that the server was restarted.
        """
        absent = 0.0 if self._absent_since is None else time.monotonic() - self._absent_since
        if absent < self.dead_after[True]:
            return
        restarted = server_restarted(self.session, self.job_id)
        if absent >= self.dead_after[restarted] and (status == "RUNNING" or restarted):
            again = f"Submit it again{self._left()}"
            raise DeadJob(f"{self.named()} is {status} for the server, but no process of it is left. {again}")
        if restarted is False and absent >= self.dead_after[None] and not self._said:
            self._said = True
            self._say_what_it_waits_for()

    def _say_who_is_missing(self, known: Mapping[str, str]) -> None:
        missing = {**sites_without_part(self.session, self.job_id), **known}
        for site, reason in sorted(missing.items()):
            self.say(f"site {site} has no part in job {self.job_id}, which goes on without it: {reason}")

    def _say_alarms(self) -> None:
        """Say once that two machines use one kit, that it is over, and that a site is not in the project file."""
        if time.monotonic() < self._next_alarms:
            return
        self._next_alarms = time.monotonic() + ALARM_SECONDS
        strangers = [one["text"] for one in unlike_the_project(self.session) if one["kind"] == UNEXPECTED]
        for text in (*two_machines(self.session).values(), *strangers):
            if text not in self._alarms:
                self._alarms.add(text)
                self.say(f"ALARM: {text}")

    def _left(self) -> str:
        """Return what another job has to do."""
        through = self.planned is not None and self.committed == self.planned
        return " to fetch the results of all its rounds: no site works" if through else ""

    def _say_what_it_waits_for(self) -> None:
        working = sorted(site_states(self.session, self.job_id)[0])
        whom = f"site {', '.join(working)}" if working else "a site that does not answer"
        minutes = self.dead_after[False] / 60
        self.say(
            f"{self.named()} has ended at the server, which waits for {whom} to end it too: {minutes:.0f} min at most"
        )

    def named(self) -> str:
        """Return the job's id and its last committed round, for a message."""
        rounds = "not known" if self.committed is None else self.committed
        return f"job {self.job_id} (rounds committed: {rounds})"


def monitor(
    session: Session,
    job_id: str,
    *,
    on_progress: Callable[[Progress], None],
    timeout: float,
    say: Callable[[str], None] = silent,
    poll: float = POLL_SECONDS,
) -> str:
    """Wait for the job's end and return its final status; ``FINISHED:COMPLETED`` means success.

    Args:
        session: a session that is logged in.
        job_id: the result of :func:`admin.session.submit.submit`.
        on_progress: called about every ``poll`` seconds while the controller answers.
        timeout: seconds to wait; the job continues after a timeout.
        say: as in :class:`JobWatch`.
        poll: seconds between two requests.

    Raises:
        TimeoutError: the job did not finish in time.
        ConnectionError: the connection was lost.
        DeadJob: the server has no process of the job.
    """
    return watch(JobWatch(session, job_id, on_progress=on_progress, say=say), timeout=timeout, poll=poll)


def watch(job: JobWatch, *, timeout: float, poll: float = POLL_SECONDS) -> str:
    """Wait for the job's end and return its final status, as :func:`monitor` does."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            status = job.look()
        except ConnectionError as error:
            raise ConnectionError(f"{error}; {job.named()} may go on") from error
        if status.startswith("FINISHED"):
            return status
        if time.monotonic() > deadline:
            raise TimeoutError(f"{job.named()} is still {status} after {timeout:.0f} s; it goes on")
        time.sleep(max(0.0, min(poll, deadline - time.monotonic())))
