"""How a job of a run ended, and the result that it left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.session.download import download
from admin.session.follow import COMPLETED
from admin.session.login import REFUSED
from admin.session.setback import Setback, is_whole, process_that_ended, setback_of

ABORTED = "FINISHED:ABORTED"
DEAD = "DEAD"  # the server calls the job RUNNING, but has no process of it
SEGMENT_END = "SEGMENT_END"  # the job was ended for a site that came back
BY_A_PERSON = "a person aborted it"


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
    """

    job_id: str
    status: str
    reason: str = ""
    committed: int | None = None
    result: Path | None = None
    lasting: bool = False
    starting: bool = False
    away: tuple[str, ...] = ()

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
        found = process_that_ended(session, job_id, status) or Setback(BY_A_PERSON, lasting=True)
        return early(job_id, status, found, committed)
    result = fetched(session, job_id, out, needed=status == COMPLETED)
    folder = (result or out / job_id) / "workspace"
    if status == COMPLETED:
        return Ended(job_id, status, committed=rounds, result=result)
    found = setback_of(session, job_id, status=status, folder=folder)
    if is_whole(folder, rounds=rounds):
        say(f"warning: job {job_id} ended as {status} ({found.text}), but its results are whole: the run is complete")
        return Ended(job_id, status, committed=rounds, result=result)
    return early(job_id, status, found, committed, result)


def early(job_id: str, status: str, found: Setback, committed: int | None, result: Path | None = None) -> Ended:
    """Return how a job ended that did not complete."""
    more = {"lasting": found.lasting, "starting": found.starting, "away": found.away}
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
