from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nvflare.fuel.flare_api.api_spec import InternalError, NoConnection

from admin.__main__ import main
from admin.federation.job_store import as_duration, delete_old, end_of
from admin.session import login
from tests.admin.session.kit_maker import authority, write_kit

NOW = datetime(2027, 3, 1, tzinfo=UTC)
LEAD = "lead@consortium.org"


def job(job_id: str, *, ended: float, **meta: Any) -> dict[str, Any]:
    """A completed job of the lead that ran for two days; ``ended`` is in days before now."""
    start = (NOW - timedelta(days=ended + 2)).isoformat()
    known = {"status": "FINISHED:COMPLETED", "submitter_name": LEAD, "start_time": start, "duration": "2 days, 0:00:00"}
    return {"job_id": job_id, "submit_time": 0.0} | known | meta


class Store:
    """A session with a job store; ``fails`` is the error at the job ``locked``."""

    def __init__(self, *jobs: dict[str, Any], fails: Exception | None = None) -> None:
        self.fails = fails
        self.jobs = {one["job_id"]: one for one in jobs}

    def list_jobs(self, *, detailed: bool) -> list[dict[str, Any]]:
        assert detailed
        return list(self.jobs.values())

    def delete_job(self, job_id: str) -> None:
        if job_id == "locked" and self.fails:
            raise self.fails
        del self.jobs[job_id]

    def close(self) -> None:
        """End the session."""


def left(store: Store, out: Path, *, days: float = 30, owner: str | None = LEAD) -> list[str]:
    list(delete_old(store, days=days, out=out, owner=owner, now=NOW))
    return list(store.jobs)


def test_jobs_that_ended_before_the_limit_are_deleted_and_later_ones_stay(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name / "workspace").mkdir(parents=True)
    assert left(Store(job("old", ended=30.5), job("new", ended=29.5)), tmp_path) == ["new"]


def test_a_completed_job_stays_until_its_result_is_downloaded(tmp_path: Path) -> None:
    less = job("less", ended=99, status="FINISHED:ABNORMAL")
    store = Store(job("whole", ended=99), less, job("failed", ended=99, status="FINISHED:ABORTED"))
    (kept, _, gone) = delete_old(store, days=30, out=tmp_path, owner=LEAD, now=NOW)
    assert "python -m admin download whole" in kept.kept
    assert (gone.job_id, gone.kept, list(store.jobs)) == ("failed", "", ["whole", "less"])


@pytest.mark.parametrize("status", ["ABNORMAL", "EXECUTION_EXCEPTION", "ABANDONED", "a word of a later version"])
def test_a_job_that_may_have_whole_results_stays_until_they_are_downloaded(tmp_path: Path, status: str) -> None:
    store = Store(job("id", ended=99, status=f"FINISHED:{status}"))
    assert left(store, tmp_path) == ["id"]
    (tmp_path / "id" / "workspace").mkdir(parents=True)
    assert left(store, tmp_path) == []


@pytest.mark.parametrize("status", ["ABORTED", "FAILED_TO_RUN", "CAN_NOT_SCHEDULE"])
def test_a_job_that_left_nothing_is_deleted(tmp_path: Path, status: str) -> None:
    assert left(Store(job("id", ended=99, status=f"FINISHED:{status}")), tmp_path) == []


@pytest.mark.parametrize("status", ["SUBMITTED", "DISPATCHED", "RUNNING", ""])
def test_a_job_that_has_not_ended_stays(tmp_path: Path, status: str) -> None:
    assert left(Store(job("id", ended=99, status=status)), tmp_path) == ["id"]


@pytest.mark.parametrize(
    "unknown", [{"duration": "N/A"}, {"start_time": "yesterday"}, {"start_time": "", "submit_time": None}]
)
def test_a_job_whose_end_is_not_known_stays(tmp_path: Path, unknown: dict[str, Any]) -> None:
    assert left(Store(job("id", ended=99, status="FINISHED:ABORTED", **unknown)), tmp_path) == ["id"]


def test_only_the_project_admin_deletes_the_jobs_of_others(tmp_path: Path) -> None:
    other = {"submitter_name": "former-lead@x.org", "status": "FINISHED:ABORTED"}
    assert left(Store(job("id", ended=99, **other)), tmp_path) == ["id"]
    assert left(Store(job("id", ended=99, **other)), tmp_path, owner=None) == []


def test_a_job_that_never_started_ended_when_it_was_submitted() -> None:
    meta = job("id", ended=0, status="FINISHED:CAN_NOT_SCHEDULE", start_time="", submit_time=NOW.timestamp())
    assert end_of(meta) == NOW


@pytest.mark.parametrize(
    "duration", [timedelta(seconds=1.5), timedelta(days=1, hours=2), timedelta(days=40, microseconds=1)]
)
def test_a_duration_is_read_as_python_writes_it(duration: timedelta) -> None:
    assert as_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("error", "code", "left_over"), [(InternalError("busy"), 0, ["locked"]), (NoConnection("gone"), 2, ["locked", "b"])]
)
def test_what_was_deleted_is_printed_if_another_deletion_fails(
    error: Exception,
    code: int,
    left_over: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = {"ended": 2000, "status": "FINISHED:ABORTED"}
    store = Store(job("a", **old), job("locked", **old), job("b", **old), fails=error)
    monkeypatch.setattr(login, "new_secure_session", lambda *_, **__: store)
    kit = write_kit(tmp_path / LEAD, authority())
    assert main(["status", "--kit", str(kit), "--out", str(tmp_path / "out"), "--delete-ended", "1"]) == code
    shown = capsys.readouterr()
    assert "a, ended 20" in shown.out
    assert list(store.jobs) == left_over
    assert str(error) in (shown.out if code == 0 else shown.err)


def test_the_verb_deletes_first_and_says_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(job("id-1", ended=2000, status="FINISHED:ABORTED"), job("id-2", ended=2000, submitter_name="else"))

    @contextmanager
    def log_in(kit: Path) -> Iterator[Store]:
        yield store

    monkeypatch.setattr(login, "admin_session", log_in)
    kit = write_kit(tmp_path / LEAD, authority())
    command = ["status", "--kit", str(kit), "--out", str(tmp_path / "out")]
    assert main([*command, "--delete-ended", "1"]) == 0
    assert "id-1, ended 20" in capsys.readouterr().out
    assert list(store.jobs) == ["id-2"]
    assert main(command) == 0
    for days in ("-1", "nan", "36501", "1e10"):
        assert main([*command, "--delete-ended", days]) == 1
        assert "from 0 to 36500" in capsys.readouterr().err
