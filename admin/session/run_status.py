"""The state of every run that a server knows, and of those in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.results.stored_run import StoredRun
from admin.session.follow import COMPLETED, UNDER_WAY, JobWatch
from admin.session.job_process import refused_by, server_restarted
from admin.session.job_progress import Progress, absent_reasons
from admin.session.run_jobs import LIVE, RUN, RunJob, from_meta
from admin.session.setback import setback_of
from fedaid.flare.software.site_software import PROPERTIES

ALIVE, DEAD, COMPLETE, FAILED = "alive", "dead", "complete", "failed"
RESTARTED = "the server was restarted: FLARE does not continue the job, but keeps it in its list"


@dataclass(frozen=True)
class RunStatus:
    """The state of one run.

    Attributes:
        run: its name.
        state: ``alive``; ``dead``: no process works on it; ``complete``; ``failed``.
        rounds: committed; None if neither the job nor a file tells.
        planned: rounds of the newest job; None if unknown.
        sites: of the run; empty if unknown.
        last_commit: time of the newest commit, ISO 8601 in UTC; empty if unknown.
        attempts: jobs that were submitted.
        job_id: of the newest job; empty if only files are known.
        reason: why it is dead or failed, and dead jobs that FLARE still lists.
        absent: site → why it has no part in the newest job.
    """

    run: str
    state: str
    rounds: int | None
    planned: int | None
    sites: tuple[str, ...]
    last_commit: str
    attempts: int
    job_id: str = ""
    reason: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)


def server_runs(session: Session, stored: Mapping[str, StoredRun], *, out: Path) -> list[RunStatus]:
    """Return the state of every run that the server knows, in the order of their first jobs, then the others' files.

    Args:
        session: a session that is logged in.
        stored: runs whose files can be read, by name.
        out: folder of the downloads, which have the reasons of failed jobs.
    """
    metas = session.list_jobs(detailed=True)
    names = dict.fromkeys(str((meta.get(PROPERTIES) or {}).get(RUN)) for meta in metas if named(meta))
    runs = [[job for meta in metas if (job := from_meta(meta, name))] for name in names]
    found = [of_jobs(session, name, jobs, out=out) for name, jobs in zip(names, runs, strict=True)]
    merged = [completed_by(status, stored.get(status.run)) for status in found]
    return merged + [of_files(run) for name, run in stored.items() if name not in names]


def named(meta: object) -> bool:
    """Whether a job's meta names a run."""
    known = meta.get(PROPERTIES) if isinstance(meta, dict) else None
    return isinstance(known, dict) and bool(known.get(RUN))


def of_jobs(session: Session, name: str, jobs: Sequence[RunJob], *, out: Path) -> RunStatus:
    """Return what the server tells of a run."""
    last, seen = jobs[-1], list[Progress]()
    state, reason = COMPLETE, ""
    if last.status in LIVE:
        state, reason = live(session, last.job_id, seen)
    elif last.status != COMPLETED:
        folder = out / last.job_id / "workspace"
        state, reason = FAILED, setback_of(session, last.job_id, status=last.status, folder=folder).text
    left = [
        f"FLARE still lists the dead job {job.job_id} as {job.status}" for job in jobs[:-1] if job.status in UNDER_WAY
    ]
    rounds = seen[-1].current_round if seen else (last.rounds if state == COMPLETE else None)
    sites = tuple(sorted(seen[-1].site_weights)) if seen else ()
    reason = "; ".join(filter(None, [reason, *left]))
    absent = refused_by(session, last.job_id) | (
        absent_reasons(seen[-1].absences, present=seen[-1].sites) if seen else {}
    )
    return RunStatus(name, state, rounds, last.rounds, sites, "", len(jobs), last.job_id, reason, absent)


def live(session: Session, job_id: str, seen: list[Progress]) -> tuple[str, str]:
    """Return whether a job that has not finished is alive, and add its progress to ``seen`` if it answers."""
    watch = JobWatch(session, job_id, on_progress=seen.append)
    watch.look()
    if watch.absent and server_restarted(session, job_id):
        return DEAD, RESTARTED
    return ALIVE, "it has no process at this moment: it starts or ends" if watch.absent else ""


def completed_by(status: RunStatus, stored: StoredRun | None) -> RunStatus:
    """Return what the server tells, with what the files of the run tell besides."""
    if stored is None:
        return status
    done = max(status.rounds or 0, stored.rounds)
    whole = status.state != ALIVE and stored.finished and done >= (status.planned or 0)
    return replace(
        status,
        state=COMPLETE if whole else status.state,
        reason="" if whole else status.reason,
        rounds=done,
        sites=status.sites or stored.sites,
        last_commit=stored.last_commit,
        attempts=max(status.attempts, stored.attempts),
        absent={**stored.absent, **status.absent},
    )


def of_files(run: StoredRun) -> RunStatus:
    """Return the state of a run of which only files are known."""
    state, reason = DEAD, "no process of this machine works on it"
    if run.finished and run.rounds >= (run.planned or 0):
        state, reason = COMPLETE, ""
    elif run.alive:
        state, reason = ALIVE, ""
    elif run.reason:
        state, reason = FAILED, run.reason
    about = (run.rounds, run.planned, run.sites, run.last_commit, run.attempts)
    return RunStatus(run.name, state, *about, reason=reason, absent=run.absent)
