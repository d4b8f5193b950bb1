"""``python -m admin status``: what the server, a run store beside the kit and downloads tell of each run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.session import login
from fedaid.flare.store.stop_note import INPUT, StopNote, write_stop
from tests.admin.results.test_stored_run import write_download, write_ledger
from tests.admin.session.test_supervisor import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server that the verb logs in to."""
    made = Server()

    @contextmanager
    def log_in(kit: Path) -> Iterator[Server]:
        yield made

    monkeypatch.setattr(login, "admin_session", log_in)
    return made


def add_job(server: Server, run: str, *looks: Any, **meta: Any) -> str:
    """Adds a job of a run with four rounds to the server; the last look is its status from then on."""
    job_id = f"id-{len(server.jobs) + 1}"
    known = {"fedaid_run": run, "fedaid_attempt": 1, "fedaid_rounds": 4}
    server.jobs[job_id] = {"job_id": job_id, "status": "RUNNING", "custom_props": known} | meta
    server.looks[job_id] = list(looks)
    return job_id


def listed(tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, dict[str, Any]]:
    kit = tmp_path / "kits" / "lead"
    kit.mkdir(parents=True, exist_ok=True)
    assert main(["status", "--kit", str(kit), "--out", str(tmp_path / "out"), "--format", "json", *more]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    return {run["run"]: run for run in data["runs"]}


def test_each_state_is_told(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_job(server, "whole", status="FINISHED:COMPLETED")
    add_job(server, "broken", status="FINISHED:EXECUTION_EXCEPTION")
    add_job(server, "left", "gone", last_schedule_time=99.0)
    add_job(server, "waiting", "SUBMITTED", status="SUBMITTED")
    add_job(server, "works", 2)
    server.jobs["else"] = {"job_id": "else", "status": "RUNNING"}
    found = listed(tmp_path, capsys)
    states = {name: (run["state"], run["rounds"], run["planned"]) for name, run in found.items()}
    assert states == {
        "whole": ("complete", 4, 4),
        "broken": ("failed", None, 4),
        "left": ("dead", None, 4),
        "waiting": ("alive", None, 4),
        "works": ("alive", 2, 4),
    }
    assert found["works"]["sites"] == ["lake", "north"]
    assert "ended with an error" in found["broken"]["reason"]
    assert "the server was restarted" in found["left"]["reason"]


def test_a_job_that_starts_or_ends_is_not_called_dead(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "starts", "gone", last_schedule_time=101.0)
    found = listed(tmp_path, capsys)["starts"]
    assert (found["state"], found["reason"]) == ("alive", "it has no process at this moment: it starts or ends")


def test_a_dead_job_that_flare_still_lists_is_named(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", "gone")
    add_job(server, "pilot", 3)
    found = listed(tmp_path, capsys)["pilot"]
    assert (found["state"], found["attempts"], found["job_id"]) == ("alive", 2, "id-2")
    assert found["reason"] == "FLARE still lists the dead job id-1 as RUNNING"


def test_the_store_beside_the_kit_and_the_downloads_complete_it(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit = tmp_path / "kits" / "server"
    (kit / "startup").mkdir(parents=True)
    (kit / "startup" / "fed_server.json").write_text("{}")
    write_ledger(kit / "fedaid_runs" / "pilot", rounds=3, attempts=2)
    write_ledger(kit / "fedaid_runs" / "older", rounds=4)
    (kit / "fedaid_runs" / "older" / "finished").mkdir()
    add_job(server, "pilot", status="FINISHED:ABNORMAL")
    job_id = add_job(server, "refused", status="FINISHED:EXECUTION_EXCEPTION")
    write_stop(write_download(tmp_path / "out" / job_id, "refused", rounds=1), StopNote(INPUT, "rho must be above 0."))
    found = listed(tmp_path, capsys)
    pilot = found["pilot"]
    assert (pilot["state"], pilot["rounds"], pilot["sites"], pilot["attempts"]) == ("failed", 3, ["lake", "north"], 2)
    assert pilot["last_commit"] == "2026-11-30T10:00:03.000+00:00"
    assert (found["refused"]["reason"], found["refused"]["rounds"]) == ("rho must be above 0", 1)
    assert (found["older"]["state"], found["older"]["job_id"]) == ("complete", "")


def test_a_failed_job_of_a_finished_run_leaves_it_complete(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ledger(tmp_path / "runs" / "pilot", rounds=4)
    (tmp_path / "runs" / "pilot" / "finished").mkdir()
    add_job(server, "pilot", status="FINISHED:ABNORMAL")
    assert listed(tmp_path, capsys, str(tmp_path / "runs"))["pilot"]["state"] == "complete"


def test_the_table_has_a_line_for_each_run_and_the_reason_below(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ledger(tmp_path / "pilot", rounds=3)
    assert main(["status", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "run    state  rounds  attempts  last commit (UTC)    sites",
        "pilot  dead   3/4     1         2026-11-30 10:00:03  lake, north",
        "  pilot: no process of this machine works on it",
    ]


def test_without_runs_it_says_so_and_without_a_place_it_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no run found\n"
    assert main(["status"]) == 1
    assert "--kit or FOLDER is missing" in capsys.readouterr().err


def test_a_site_without_a_part_in_the_newest_job_is_named_with_its_reason(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    details = ["server: OK", "lake: OK", "north: ERROR: not authorized."]
    add_job(server, "pilot", status="FINISHED:COMPLETED", job_deploy_detail=details)
    assert listed(tmp_path, capsys)["pilot"]["absent"] == {"north": "ERROR: not authorized"}
    kit = str(tmp_path / "kits" / "lead")
    assert main(["status", "--kit", kit, "--out", str(tmp_path / "out")]) == 0
    assert "\n  without site north: ERROR: not authorized\n" in capsys.readouterr().out


def test_an_alarm_of_the_server_is_a_warning(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = {"site": "lake", "text": "two machines use the startup kit of site lake"}
    stranger = {"site": "west", "kind": "unexpected", "text": "site west is connected"}
    away = {"site": "north", "kind": "missing", "text": "site north is not connected"}
    answers = {
        "two_machines": {"fedaid_two_machines": [alarm]},
        "expected_sites": {"fedaid_expected_sites": [stranger, away]},
    }
    monkeypatch.setattr(server, "_do_command", lambda command: {"meta": answers[command]}, raising=False)
    (tmp_path / "lead").mkdir()
    assert main(["status", "--kit", str(tmp_path / "lead"), "--out", str(tmp_path / "out")]) == 0
    assert [line for line in capsys.readouterr().err.splitlines() if "site" in line] == [
        "warning: ALARM: two machines use the startup kit of site lake",
        "warning: ALARM: site west is connected",
        "warning: site north is not connected",
    ]
