"""Delete jobs that ended long ago from the server's job store, which otherwise grows with every job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nvflare.fuel.flare_api.flare_api import Session

from admin.session.follow import ABORTED
from admin.session.kit_check import PROJECT_ADMIN, role_of
from admin.session.login import REFUSED, kit_user, one_line
from admin.session.setback import FAILED_TO_RUN

WITHOUT_RESULTS = (ABORTED, FAILED_TO_RUN, "FINISHED:CAN_NOT_SCHEDULE")  # others may have whole results
ENDED = "FINISHED:"  # FLARE's words for a job that has ended start with it


@dataclass(frozen=True)
class OldJob:
    """A job that ended before the limit.

    Attributes:
        job_id: of the job.
        ended: when, in UTC, as ISO text.
        kept: why it was not deleted; empty if it was.
    """

    job_id: str
    ended: str
    kept: str = ""


def delete_old(
    session: Session, *, days: float, out: Path, owner: str | None, now: datetime | None = None
) -> Iterator[OldJob]:
    """Delete the jobs that ended more than ``days`` days ago; yield each of them, deleted or kept.

    A job without a known end, or that has not ended, is not touched. The result of a job must be in ``out``, because
    the server has the only other copy, unless the job was aborted or never ran: FLARE calls some complete runs failed.
    A job whose deletion the server refuses is kept. The run store, from which a run continues, is not touched either.

    Args:
        session: a session that is logged in.
        days: age in days since the end, from 0 to 36,500.
        out: folder of the downloads.
        owner: whose jobs to delete; None for everybody's, which only the project's admin may.
        now: a time with a time zone; None takes the clock of this machine.
    """
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    for meta in session.list_jobs(detailed=True):
        ended = end_of(meta)
        if ended is None or ended >= limit or (owner is not None and meta.get("submitter_name") != owner):
            continue
        job_id, kept = str(meta["job_id"]), ""
        if meta["status"] not in WITHOUT_RESULTS and not (out / job_id / "workspace").is_dir():
            kept = f"its result is not in {out}: python -m admin download {job_id} --kit KIT"
        else:
            try:
                session.delete_job(job_id)
            except REFUSED as error:
                kept = f"the server refused: {one_line(error)}"
        yield OldJob(job_id, ended.isoformat(timespec="seconds"), kept)


def owner_of(kit: Path) -> str | None:
    """Return whose jobs the owner of this kit may delete; None for everybody's."""
    return None if role_of(kit) == PROJECT_ADMIN else kit_user(kit)


def end_of(meta: Mapping[str, Any]) -> datetime | None:
    """Return when a job ended, from FLARE's start and duration; None if it has not ended or that is not known."""
    if not str(meta.get("status", "")).startswith(ENDED):
        return None
    with suppress(ValueError, TypeError, OverflowError):
        if not meta.get("start_time"):  # it never started
            return datetime.fromtimestamp(float(meta["submit_time"]), tz=UTC) if meta.get("submit_time") else None
        return datetime.fromisoformat(str(meta["start_time"])).astimezone(UTC) + as_duration(str(meta["duration"]))
    return None


def as_duration(text: str) -> timedelta:
    """Return a duration from Python's form of it, as in ``2 days, 3:04:05.6``.

    Raises:
        ValueError: the text has another form.
    """
    days, _, clock = text.rpartition(", ")
    hours, minutes, seconds = clock.split(":")
    whole = int(days.removesuffix("s").removesuffix(" day")) if days else 0
    return timedelta(days=whole, hours=int(hours), minutes=int(minutes), seconds=float(seconds))
