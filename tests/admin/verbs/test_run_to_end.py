"""``python -m admin run``: its envelope, and what Ctrl-C leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.session import login
from tests.admin.session.test_supervisor import Server, job, slept

__all__ = ["job", "slept"]  # fixtures


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server that the verb logs in to."""
    server = Server([0, 1, "FINISHED:COMPLETED"])
    server.whole = {"id-1"}

    @contextmanager
    def log_in(kit: Path) -> Iterator[Server]:
        yield server

    monkeypatch.setattr(login, "admin_session", log_in)
    return server


def test_the_verb_prints_one_envelope(
    logged_in: Server, job: Path, slept: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", str(job), "--kit", str(tmp_path), "--out", str(tmp_path / "out"), "--format", "json"]
    assert main(words) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)["data"]
    assert (data["job_id"], data["job_status"]) == ("id-1", "FINISHED:COMPLETED")
    assert data["result"] == str(tmp_path / "out" / "id-1")
    assert [ended["job_id"] for ended in data["attempts"]] == ["id-1"]
    assert captured.err.splitlines()[0] == "job id-1: attempt 1 of run pilot"


def test_ctrl_c_leaves_the_run_going_and_tells_the_command(
    logged_in: Server, job: Path, slept: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logged_in.script = [[0, KeyboardInterrupt()]]
    words = ["run", str(job), "--kit", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(words) == 130
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"interrupted; job id-1 goes on at the server: python -m admin {' '.join(words)} continues"


def test_no_attempt_is_refused(job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(job), "--kit", str(tmp_path), "--attempts", "0"]) == 1
    assert "--attempts must be at least 1, got 0" in capsys.readouterr().err
