"""``python -m admin abort``, and what the commands that follow an aborted job do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.__main__ import main
from tests.admin.session.test_supervisor import Server, job, slept
from tests.admin.verbs.test_run_to_end import logged_in
from tests.admin.verbs.test_status_runs import add_job, server

__all__ = ["job", "logged_in", "server", "slept"]  # fixtures
ORDER = "Stop the job run: id-1\nFailing job id-1 due to reported failure from lake: aborted\n"


def abort(tmp_path: Path, *words: str) -> int:
    return main(["abort", *words, "--kit", str(tmp_path), "--format", "json"])


@pytest.mark.parametrize("words", [("id-1",), ("pilot",), ()])
def test_a_job_is_aborted_by_its_id_by_its_run_or_as_the_only_one(
    words: tuple[str, ...], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", 2)
    add_job(server, "ended", status="FINISHED:COMPLETED")
    assert abort(tmp_path, *words) == 0
    assert server.aborted == ["id-1"]
    (found,) = json.loads(capsys.readouterr().out)["data"]["jobs"]
    assert found == {"job_id": "id-1", "run": "pilot", "status": "FINISHED:ABORTED", "rounds": 2}


def test_it_says_where_the_run_can_be_continued(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", 2)
    assert main(["abort", "pilot", "--kit", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        "job id-1 aborted; run pilot stays in the store, and another job continues after round 2\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("other",), "must be one that the server knows, got other"),
        (("id-3",), "must be alive, got id-3, whose job id-3 is FINISHED:COMPLETED: the command line. Nothing"),
        (("ended",), "If python -m admin run waits to submit the next job of run ended, end it with Ctrl-C."),
        ((), "got 2 jobs alive: the command line. Name one: id-1 of run pilot, id-2 of run second."),
    ],
)
def test_without_a_job_to_abort_nothing_is_aborted(
    words: tuple[str, ...], said: str, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", 2)
    add_job(server, "second", 1)
    add_job(server, "ended", status="FINISHED:COMPLETED")
    assert abort(tmp_path, *words) == 1
    assert said in json.loads(capsys.readouterr().out)["message"]
    assert server.aborted == []


def test_a_job_that_ended_before_the_order_came_is_not_called_aborted(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_job(server, "pilot", 3, "FINISHED:COMPLETED")
    monkeypatch.setattr(server, "abort_job", lambda job_id: None)
    assert abort(tmp_path, "pilot") == 1
    assert "job id-1 ended as FINISHED:COMPLETED before it could be aborted" in capsys.readouterr().err


def test_a_dead_job_is_named_and_the_living_one_is_aborted(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", "gone", last_schedule_time=99.0)
    add_job(server, "pilot", 2)
    assert abort(tmp_path, "pilot") == 0
    assert server.aborted == ["id-2"]
    assert "job id-1 is dead already" in capsys.readouterr().err


@pytest.mark.parametrize("log", ["", ORDER])
def test_whoever_follows_an_aborted_job_says_so_in_one_line_and_ends_with_4(
    log: str, logged_in: Server, job: Path, slept: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "error: job id-1 ended as FINISHED:ABORTED: a person aborted it; rounds committed: at least 1"
    out = ["--kit", str(tmp_path), "--out", str(tmp_path / "out")]
    same, again = ". The same command continues the run", ". Submitted again, the same job continues the run"
    for verb, words, more in (
        ("run", [str(job), *out], same),
        ("submit", [str(job), *out, "--wait"], again),
        ("monitor", ["id-1", *out[:2]], again),
    ):
        logged_in.jobs.clear()
        logged_in.script, logged_in.reported = [[0, 1, "FINISHED:ABORTED"]], log
        if verb == "monitor":
            logged_in.submit_job(str(job))
        assert main([verb, *words]) == 4
        assert capsys.readouterr().err.splitlines()[-1] == said + more
        assert len(logged_in.jobs) == 1, "no other job is submitted"
    assert slept == []


def test_a_site_that_ended_its_process_by_itself_is_not_called_a_person(
    logged_in: Server, job: Path, slept: list[float], tmp_path: Path
) -> None:
    """FLARE calls the job aborted too when a site's client is shut down."""
    logged_in.script = [[0, 1, "FINISHED:ABORTED"], ["FINISHED:COMPLETED"]]
    logged_in.reported = "Failing job id-1 due to reported failure from lake: aborted\n"
    logged_in.whole = {"id-2"}
    assert main(["run", str(job), "--kit", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert len(logged_in.jobs) == 2
