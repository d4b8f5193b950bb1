"""Keeps a run going: submits its job, follows it, and after a setback waits and submits it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.job_check import check_job
from admin.jobs.settings import values_by_name
from admin.session.download import download
from admin.session.follow import COMPLETED, DeadJob, JobWatch, watch
from admin.session.job_progress import Progress
from admin.session.login import REFUSED
from admin.session.run_jobs import job_to_follow, jobs_of_run, rounds_of, run_of
from admin.session.setback import is_whole, reason_of
from admin.session.submit import require_enough_sites, send
from fedaid.errors import require

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0  # seconds before a job is submitted again
SITE_POLL = 2.0
ABORTED = "FINISHED:ABORTED"
FOREVER = float("inf")


@dataclass(frozen=True)
class Ended:
    """How one job of the run ended.

    Attributes:
        job_id: of the job.
        status: FLARE's final status, or ``DEAD``.
        reason: why it ended early, in one line; empty if it completed.
        committed: rounds of the run that were committed when the controller answered last; None if it never did.
        result: folder of the download; None if there is none.
    """

    job_id: str
    status: str
    reason: str = ""
    committed: int | None = None
    result: Path | None = None


@dataclass
class Supervisor:
    """Keeps one run going until it is complete or its attempts are spent.

    Args:
        job: a packaged job with a run name.
        session: a session that outlives its connection.
        out: folder of the downloads.
        attempts: jobs that are followed at most, from 1.
        patience: seconds to wait for the sites of the run before a job is submitted again.
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
    say: Callable[[str], None]
    on_progress: Callable[[Progress], None]
    on_job: Callable[[str | None], None]
    ended: list[Ended] = field(default_factory=list)
    _sites: set[str] = field(default_factory=set)

    def run(self) -> Ended:
        """Return how the last job ended: complete, with the folder of its result.

        Raises:
            InputError: the job is invalid, its run cannot be continued, or it needs more sites than are connected.
            RuntimeError: a person has aborted the job, or the attempts are spent; the message is the last reason.
            ConnectionError: the server, or a site of the run, was away for longer than ``patience``.
        """
        self._check()
        setbacks, committed = 0, 0
        while True:
            end = self._next_job()
            self.ended.append(end)
            if not end.reason:
                return end
            setbacks = 1 if (end.committed or 0) > committed else setbacks + 1
            committed = max(committed, end.committed or 0)
            self._require_another(end)
            pause = min(FIRST_PAUSE * 2 ** (setbacks - 1), LONGEST_PAUSE)
            self.say(f"{told(end)}; attempt {len(self.ended) + 1} of {self.attempts} in {pause:.0f} s")
            time.sleep(pause)

    def _check(self) -> None:
        """Refuse a job that cannot be run, before anything is submitted."""
        remedy = "Its run cannot be continued: python -m admin submit JOB --kit KIT --wait."
        require(bool(run_of(self.job)), "run_name", "be set", got="none", where=self.job.name, remedy=remedy)
        check_job(self.job, local_folders=False)

    def _require_another(self, end: Ended) -> None:
        """Raise an error with the reason if no other job may be submitted."""
        if end.status == ABORTED:
            raise RuntimeError(f"{told(end)}. The same command continues the run")
        if len(self.ended) >= self.attempts:
            raise RuntimeError(f"{told(end)}. {self.attempts} attempts are spent; the same command continues the run")

    def _next_job(self) -> Ended:
        """Find the run's job or submit one, and follow it to its end."""
        job_id = self._find() or self._submit()
        self.on_job(job_id)
        self._sites |= self._connected() - set(values_by_name(self.job).get("without") or ())
        job = JobWatch(self.session, job_id, on_progress=self.on_progress)
        try:
            status = watch(job, timeout=FOREVER)
        except DeadJob:
            self.on_job(None)
            reason = "it is RUNNING for the server, but no process of it is left, as after a restart of the server"
            return Ended(job_id, "DEAD", reason, job.committed)
        self.on_job(None)
        return self._outcome(job_id, status, job.committed)

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

    def _outcome(self, job_id: str, status: str, committed: int | None) -> Ended:
        """Fetch the result of a job that has ended, and tell whether the run is complete."""
        if status == ABORTED:
            return Ended(job_id, status, "a person aborted it", committed)
        result = self._result(job_id, needed=status == COMPLETED)
        folder = (result or self.out / job_id) / "workspace"
        if status == COMPLETED:
            return Ended(job_id, status, committed=rounds_of(self.job), result=result)
        reason = reason_of(self.session, job_id, status=status, log=folder / "log.txt")
        if is_whole(folder, rounds=rounds_of(self.job)):
            self.say(
                f"warning: job {job_id} ended as {status} ({reason}), but its results are whole: the run is complete"
            )
            return Ended(job_id, status, committed=rounds_of(self.job), result=result)
        return Ended(job_id, status, reason, committed, result)

    def _result(self, job_id: str, *, needed: bool) -> Path | None:
        """Download a job's result, unless it is there; None if a failed job has none."""
        if (self.out / job_id / "workspace").is_dir():
            return self.out.resolve() / job_id
        if needed:
            return download(self.session, job_id, self.out)
        with suppress(*REFUSED, RuntimeError, OSError):
            return download(self.session, job_id, self.out)
        return None


def told(end: Ended) -> str:
    """Return a setback as one line."""
    rounds = "" if end.committed is None else f"; rounds committed: at least {end.committed}"
    return f"job {end.job_id} ended as {end.status}: {' '.join(end.reason.split())}{rounds}"
