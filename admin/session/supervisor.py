"""Keeps a run going: submits its job, follows it, and after a setback waits and submits it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.job_check import check_job
from admin.jobs.settings import values_by_name
from admin.results.failure import AbortedOnPurpose
from admin.session.ended_job import DEAD, SEGMENT_END, Ended, ended_job
from admin.session.follow import ABORTED, DeadJob, JobWatch, watch
from admin.session.job_progress import Progress
from admin.session.login import REFUSED
from admin.session.run_jobs import job_to_follow, jobs_of_run, rounds_of, run_of
from admin.session.segment import Segment
from admin.session.submit import require_enough_sites, send
from fedaid.errors import require

SHORT_PAUSE, FIRST_PAUSE, LONGEST_PAUSE = 2.0, 10.0, 300.0  # seconds before a job is submitted again
SITE_POLL = 1.0
FOREVER = float("inf")
ZOMBIE = (
    "no process of it is left, as after a restart of the server. FLARE keeps it in its list as RUNNING, where nobody "
    "can abort or delete it; it does no harm"
)


@dataclass
class Supervisor:
    """Keeps one run going until it is complete or its attempts are spent.

    Args:
        job: a packaged job with a run name.
        session: a session that outlives its connection.
        out: folder of the downloads.
        attempts: jobs that are followed at most, from 1.
        patience: seconds to wait for the sites of the run before a job is submitted again.
        segment_rounds: rounds that a job commits before it is ended for a site that came back; 0 to never end it.
        say: gets one line for each event.
        on_progress: called with each answer of the controller.
        on_job: called with the id of the job that is alive, or None between two jobs.

    Attributes:
        ended: the jobs that were followed to their end.
    """

    job: Path
    session: Session
    out: Path
    attempts: int
    patience: float
    segment_rounds: int
    say: Callable[[str], None]
    on_progress: Callable[[Progress], None]
    on_job: Callable[[str | None], None]
    ended: list[Ended] = field(default_factory=list)
    _sites: set[str] = field(default_factory=set)
    _submitted: set[str] = field(default_factory=set)
    _setbacks: int = 0
    _committed: int = 0

    def run(self) -> Ended:
        """Return how the last job ended: complete, with the folder of its result.

        Raises:
            InputError: the job is invalid, its run cannot be continued, or it needs more sites than are connected.
            AbortedOnPurpose: a person has aborted the job.
            RuntimeError: a person must mend something first, or the attempts are spent; the message is the last reason.
            ConnectionError: the server, or a site of the run, was away for longer than ``patience``.
        """
        self._check()
        while True:
            end = self._repeated(self._next_job())
            self.ended.append(end)
            if not end.reason:
                return end
            if self._found_dead(end):
                self.say(end.told())
            elif end.status != SEGMENT_END:
                self._recover(end)

    def _check(self) -> None:
        """Refuse a job that cannot be run, before anything is submitted."""
        remedy = "Its run cannot be continued: python -m admin submit JOB --kit KIT --wait."
        require(bool(run_of(self.job)), "run_name", "be set", got="none", where=self.job.name, remedy=remedy)
        check_job(self.job, local_folders=False)

    def _repeated(self, end: Ended) -> Ended:
        """Return how a job ended; if the same site could not start the job before it either, that is lasting."""
        before = self.ended[-1] if self.ended else end
        again = end.starting and before is not end and before.starting and before.reason == end.reason
        return replace(end, lasting=True) if again else end

    def _found_dead(self, end: Ended) -> bool:
        """Whether a job was dead before this process began: it costs no attempt and no pause."""
        return end.status == DEAD and end.committed is None and end.job_id not in self._submitted

    def _recover(self, end: Ended) -> None:
        """Wait before another job is submitted.

        Raises:
            AbortedOnPurpose: a person has aborted the job.
            RuntimeError: another job would end in the same way, or the attempts are spent.
        """
        if end.on_purpose:
            raise AbortedOnPurpose(f"{end.told()}. The same command continues the run")
        spent = sum(one.status != SEGMENT_END and not self._found_dead(one) for one in self.ended)
        if end.lasting:
            mend = "Another job would end in the same way: mend this first"
            raise RuntimeError(f"{end.told()}. {mend}. The same command continues the run")
        if spent >= self.attempts:
            raise RuntimeError(f"{end.told()}. {self.attempts} attempts are spent; the same command continues the run")
        pause = self._pause(end.committed or 0)
        self.say(f"{end.told()}; attempt {spent + 1} of {self.attempts} in {pause:.0f} s")
        time.sleep(pause)

    def _pause(self, committed: int) -> float:
        """Return the seconds to wait: few after a job that committed a round, else twice as long each time."""
        went_on, self._committed = committed > self._committed, max(self._committed, committed)
        self._setbacks = 0 if went_on else self._setbacks + 1
        return SHORT_PAUSE if went_on else min(FIRST_PAUSE * 2 ** (self._setbacks - 1), LONGEST_PAUSE)

    def _next_job(self) -> Ended:
        """Find the run's job or submit one, and follow it to its end."""
        job_id = self._find() or self._submit()
        self.on_job(job_id)
        without = set(values_by_name(self.job).get("without") or ())
        self._sites |= self._connected() - without
        rounds, least = self.segment_rounds, int(values_by_name(self.job)["min_clients"])
        segment = Segment(self.session, job_id, rounds=rounds, least=least, without=without, say=self.say)
        end = self._follow(job_id, segment)
        self.on_job(None)
        self._sites |= segment.sites | set(end.away)
        return end

    def _follow(self, job_id: str, segment: Segment) -> Ended:
        """Follow a job to its end."""

        def on_progress(progress: Progress) -> None:
            self.on_progress(progress)
            segment.notice(progress)

        job = JobWatch(self.session, job_id, on_progress=on_progress, say=self.say)
        try:
            status = watch(job, timeout=FOREVER)
        except DeadJob:
            return Ended(job_id, DEAD, self._buried(job_id), job.committed)
        if segment.lost and status == ABORTED:
            reason = f"site {', '.join(segment.lost)} was restarted, so its process of the job is gone"
            return Ended(job_id, status, reason, job.committed, away=segment.lost)
        if segment.asked and status == ABORTED:
            return Ended(job_id, SEGMENT_END, "a site of the run is back", job.committed)
        rounds = rounds_of(self.job)
        return ended_job(
            self.session, job_id, status=status, committed=job.committed, rounds=rounds, out=self.out, say=self.say
        )

    def _buried(self, job_id: str) -> str:
        """End a dead job at the server if FLARE allows it, and return what became of it."""
        with suppress(*REFUSED, RuntimeError):  # FLARE ends a job that it has not started, and no other
            self.session.abort_job(job_id)
            return "no process of it is left, as after a restart of the server"
        return ZOMBIE

    def _find(self) -> str | None:
        """Return the job of this run that is alive or complete, if there is one that was not followed yet."""
        dead = {end.job_id for end in self.ended}
        found = job_to_follow(jobs_of_run(self.session, run_of(self.job)), rounds=rounds_of(self.job), dead=dead)
        if found is None:
            return None
        self.say(
            f"run {run_of(self.job)} has job {found.job_id} ({found.status}, attempt {found.attempt}): following it"
        )
        return found.job_id

    def _submit(self) -> str:
        """Submit the next job of the run, when the sites of the run are connected."""
        if self._sites:
            self._wait_for_sites()
        require_enough_sites(self.session, self.job)
        attempt = 1 + max((job.attempt for job in jobs_of_run(self.session, run_of(self.job))), default=0)
        try:
            job_id = send(self.session, self.job, attempt=attempt)
        except ConnectionError:  # the job may have arrived
            found = self._find()
            job_id = found or send(self.session, self.job, attempt=attempt)
        self._submitted.add(job_id)
        self.say(f"job {job_id}: attempt {attempt} of run {run_of(self.job)}")
        return job_id

    def _wait_for_sites(self) -> None:
        """Return when every site that worked before is connected again: a job without one of them is refused."""
        deadline, told_of = time.monotonic() + self.patience, set[str]()
        while missing := self._sites - self._connected():
            names = ", ".join(sorted(missing))
            if time.monotonic() > deadline:
                how = "start it, or package the job with the same --run-name and --without"
                raise ConnectionError(f"site {names} was not connected for {self.patience:.0f} s: {how}")
            if missing != told_of:
                self.say(f"waiting for site {names}")
                told_of = missing
            time.sleep(SITE_POLL)

    def _connected(self) -> set[str]:
        """Return the names of the connected sites."""
        return {str(client.name) for client in self.session.get_connected_client_list()}
