"""Abort a job, or the jobs of a run that are alive, and wait for their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nvflare.fuel.flare_api.flare_api import Session

from admin.session.follow import ABORTED, JobWatch, watch
from admin.session.job_process import server_restarted
from admin.session.job_progress import Progress
from admin.session.run_jobs import LIVE, RUN
from fedaid.errors import InputError
from fedaid.flare.software.site_software import PROPERTIES

ID, STATUS = "job_id", "status"
SEE = "python -m admin status --kit KIT lists the runs"


@dataclass(frozen=True)
class AbortedJob:
    """A job that was to be aborted.

    Attributes:
        job_id: of the job.
        run: its name; empty if the job cannot be continued.
        status: FLARE's final status.
        rounds: committed when the controller answered last; None if it never did.
    """

    job_id: str
    run: str
    status: str
    rounds: int | None

    def told(self) -> str:
        """Return what became of the job, in one line."""
        if self.status != ABORTED:
            return f"job {self.job_id} ended as {self.status} before it could be aborted"
        kept = "a round that is committed" if self.rounds is None else f"round {self.rounds}"
        after = f"; run {self.run} stays in the store, and another job continues after {kept}" if self.run else ""
        return f"job {self.job_id} aborted{after}"


def abort_jobs(
    session: Session, name: str | None, *, timeout: float, say: Callable[[str], None]
) -> Iterator[AbortedJob]:
    """Abort jobs one after the other, and yield each when it has ended.

    The store of a run is unchanged: it has every round that was committed.

    Args:
        session: a session that is logged in.
        name: of a job or a run; None for the only job that is alive.
        timeout: seconds to wait for the end of each job.
        say: gets a line for each job that is dead already: FLARE cannot abort it.

    Raises:
        InputError: no such job is alive.
        TimeoutError: a job has not ended in time.
    """
    for meta in chosen(session.list_jobs(detailed=True), name):
        job_id, seen = str(meta[ID]), list[Progress]()
        job = JobWatch(session, job_id, on_progress=seen.append)
        job.look()
        if job.absent and server_restarted(session, job_id):
            say(f"job {job_id} is dead already: the server was restarted, and FLARE keeps it in its list")
            continue
        session.abort_job(job_id)
        status = watch(job, timeout=timeout)
        yield AbortedJob(job_id, run_in(meta), status, seen[-1].current_round if seen else None)


def chosen(metas: list[Any], name: str | None) -> list[Mapping[str, Any]]:
    """Return the jobs to abort, in the order of their submission.

    Args:
        metas: of all jobs that the server knows.
        name: of a job or a run; None for the only job that is alive.

    Raises:
        InputError: there is none, or more than one without a name.
    """
    alive = [meta for meta in metas if meta.get(STATUS) in LIVE]
    if name is None:
        if len(alive) != 1:
            raise refused("be named unless one job is alive", f"{len(alive)} jobs alive", names(alive) or SEE)
        return alive
    known = [meta for meta in metas if name in (meta[ID], run_in(meta))]
    if not known:
        raise refused("be one that the server knows", name, SEE)
    found = [meta for meta in known if meta in alive]
    if not found:
        last = known[-1]
        wait = f" If python -m admin run waits to submit the next job of run {name}, end it with Ctrl-C."
        got = f"{name}, whose job {last[ID]} is {last[STATUS]}"
        raise refused("be alive", got, "Nothing was aborted." + (wait if name == run_in(last) else ""))
    return found


def refused(rule: str, got: str, remedy: str) -> InputError:
    """Return the error of a name that stands for no job to abort."""
    return InputError("RUN or JOB", rule, got=got, where="the command line", remedy=remedy)


def names(metas: list[Mapping[str, Any]]) -> str:
    """Return what a person may name; empty without jobs."""
    words = [f"{meta[ID]}{f' of run {run_in(meta)}' if run_in(meta) else ''}" for meta in metas]
    return f"Name one: {', '.join(words)}." if words else ""


def run_in(meta: Mapping[str, Any]) -> str:
    """Return the run that a job's meta names; empty if it names none."""
    known = meta.get(PROPERTIES)
    return str(known.get(RUN) or "") if isinstance(known, dict) else ""
