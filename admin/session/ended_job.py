"""How a job of a run ended, and the result that it left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.results.achievement import nothing_achieved
from admin.results.failure import AbortedOnPurpose, panic_in
from admin.session.download import download
from admin.session.follow import ABORTED, COMPLETED
from admin.session.job_progress import Progress
from admin.session.login import REFUSED
from admin.session.run_jobs import rounds_at_server
from admin.session.setback import (
    MEANING,
    Setback,
    aborted,
    is_whole,
    noted,
    one_line,
    process_that_ended,
    server_log,
    setback_of,
)

CONTINUES = "Submitted again, the same job continues the run"
DEAD = "DEAD"  # the server calls the job RUNNING, but has no process of it
SEGMENT_END = "SEGMENT_END"  # the job was ended for a site that came back


@dataclass(frozen=True)
class Ended:
    """How one job of the run ended.

    Attributes:
        job_id: of the job.
        status: FLARE's final status, :data:`DEAD` or :data:`SEGMENT_END`.
        reason: why it ended early, in one line; empty if it completed.
        committed: rounds of the run that were committed when the controller answered last; None if it never did.
        result: folder of the download; None if there is none.
        lasting: whether another job would end in the same way until a person changes something.
        starting: whether a site's process could not start.
        away: sites that were missed.
        on_purpose: whether a person aborted it.
    """

    job_id: str
    status: str
    reason: str = ""
    committed: int | None = None
    result: Path | None = None
    lasting: bool = False
    starting: bool = False
    away: tuple[str, ...] = ()
    on_purpose: bool = False

    def told(self) -> str:
        """Return a setback as one line."""
        rounds = f"; rounds committed: at least {self.committed}" if self.committed else ""
        return f"job {self.job_id} ended as {self.status}: {' '.join(self.reason.split())}{rounds}"


def ended_job(
    session: Session,
    job_id: str,
    *,
    status: str,
    committed: int | None,
    rounds: int,
    out: Path,
    say: Callable[[str], None],
) -> Ended:
    """Fetch the result of a job that has ended, and tell whether the run is complete.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: FLARE's final status.
        committed: rounds that were committed when the controller answered last.
        rounds: of the run.
        out: folder of the downloads.
        say: gets a warning if the status tells of a failure, but the run is complete.
    """
    if status == ABORTED:
        return early(job_id, status, aborted(session, job_id), committed)
    result = fetched(session, job_id, out, needed=status == COMPLETED)
    folder = (result or out / job_id) / "workspace"
    warn = partial(warned, say)
    found = failure_of(session, job_id, status=status, folder=folder, rounds=rounds, say=warn)
    if found is not None:
        return early(job_id, status, found, committed, result)
    return Ended(job_id, status, committed=rounds, result=result)


def warned(say: Callable[[str], None], text: str) -> None:
    """Say a warning."""
    say(f"warning: {text}")


def failure_of(
    session: Session, job_id: str, *, status: str, folder: Path, rounds: int, say: Callable[[str], None]
) -> Setback | None:
    """Return why a job did not do its work; None if it did, whatever FLARE calls it.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: FLARE's final status.
        folder: ``workspace`` of its download; it need not exist unless FLARE calls the job completed.
        rounds: of the run; 0 for a job without rounds.
        say: gets a warning if FLARE calls the job failed, but the run is complete.
    """
    if status == COMPLETED:
        lack = nothing_achieved(folder, rounds=rounds)
        return (noted(folder / "app_server") or Setback(one_line(lack))) if lack else None
    found = setback_of(session, job_id, status=status, folder=folder)
    if not completes(status, folder, rounds=rounds):
        return found
    say(complete_in_spite(job_id, status, found))
    return None


def error_of(job_id: str, status: str, found: Setback, *, committed: int | None, see: str) -> RuntimeError:
    """Return the error of a job that did not do its work.

    Args:
        job_id: of the job.
        status: FLARE's final status.
        found: the reason.
        committed: rounds that were committed when the controller answered last; None if it never did.
        see: where its log is.
    """
    if found.on_purpose:
        return AbortedOnPurpose(f"{early(job_id, status, found, committed).told()}. {CONTINUES}")
    return RuntimeError(f"{found.text}. The job ended as {status}: {see}")


def completes(status: str, folder: Path, *, rounds: int) -> bool:
    """Whether a job completed its run: by its status, or by whole results if FLARE calls it failed.

    A site that is away when the last round is done makes FLARE call the job ABNORMAL.

    Args:
        status: FLARE's final status.
        folder: ``workspace`` of the job's download; it need not exist.
        rounds: of the run; 0 if unknown.
    """
    return status == COMPLETED or (status != ABORTED and rounds > 0 and is_whole(folder, rounds=rounds))


def complete_in_spite(job_id: str, status: str, found: Setback) -> str:
    """Return the warning for a job with whole results that FLARE calls failed."""
    return f"job {job_id} ended as {status} ({found.text}), but its results are whole: the run is complete"


def setback_or_none(
    session: Session, job_id: str, *, status: str, last: Progress | None, say: Callable[[str], None]
) -> Setback | None:
    """Return why a job that nobody has downloaded ended early; None if it completed its run.

    If FLARE calls a job failed whose rounds may all be done, the results are downloaded, looked at and deleted.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: FLARE's final status.
        last: what the controller answered last; None if it never did.
        say: gets a warning if the status tells of a failure, but the run is complete.
    """
    if status == COMPLETED:
        stopped = panic_in(server_log(session, job_id))
        return Setback(one_line(stopped)) if stopped else None
    if status == ABORTED:
        return aborted(session, job_id)
    found = process_that_ended(session, job_id, status) or Setback("")
    if last is not None and last.current_round < last.num_rounds:
        return found
    with tempfile.TemporaryDirectory(prefix="fedaid-monitor-") as folder:
        result = fetched(session, job_id, Path(folder), needed=False)
        rounds = rounds_at_server(session, job_id)
        if result is None or not completes(status, result / "workspace", rounds=rounds):
            return found
    say(complete_in_spite(job_id, status, found if found.text else Setback(MEANING.get(status, status))))
    return None


def early(job_id: str, status: str, found: Setback, committed: int | None, result: Path | None = None) -> Ended:
    """Return how a job ended that did not complete."""
    more = {"lasting": found.lasting, "starting": found.starting, "away": found.away, "on_purpose": found.on_purpose}
    return Ended(job_id, status, found.text, committed, result, **more)  # type: ignore[arg-type]


def fetched(session: Session, job_id: str, out: Path, *, needed: bool) -> Path | None:
    """Download a job's result, unless it is there; None if a failed job has none."""
    if (out / job_id / "workspace").is_dir():
        return out.resolve() / job_id
    if needed:
        return download(session, job_id, out)
    with suppress(*REFUSED, RuntimeError, OSError):
        return download(session, job_id, out)
    return None
