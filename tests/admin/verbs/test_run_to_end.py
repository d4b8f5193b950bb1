"""``python -m admin run``: its envelope, and what Ctrl-C leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.jobs.package import package_job
from admin.session import login
from tests.admin.session.test_supervisor import Server, job, slept
from tests.integration.conftest import MODEL

__all__ = ["job", "slept"]  # fixtures
UNLISTED = "nvflare.app_common.widgets.validation_json_generator.ValidationJsonGenerator"


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
    warning, first = captured.err.splitlines()[:2]
    assert warning.startswith("warning: no plan has checked the timeouts of fedaid_pretrain: python -m admin plan ")
    assert first == "job id-1: attempt 1 of run pilot"


@pytest.mark.parametrize("verb", ["run", "submit"])
def test_a_class_that_a_site_would_refuse_is_named_before_the_job_is_submitted(
    verb: str, logged_in: Server, tmp_path: Path, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL | {"num_rounds": 2}, run_name="pilot", code=False)
    file = next(job.glob("*/config/config_fed_client.json"))
    content = json.loads(file.read_text())
    content["components"].append({"id": "other", "path": UNLISTED, "args": {}})
    file.write_text(json.dumps(content))
    words = [verb, str(job), "--kit", str(tmp_path), "--out", str(tmp_path / "out"), "--format", "json"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert f"warning: class {UNLISTED} in config_fed_client.json is in no job of jobs/" in captured.err
    assert json.loads(captured.out)["data"]["job_id"] == "id-1"


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
