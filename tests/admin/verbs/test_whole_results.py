"""A job that FLARE calls failed, but whose results are whole: the verbs that follow a job agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs.package import package_job
from admin.session import lasting_session, login
from admin.session.run_jobs import ATTEMPT, ROUNDS, RUN
from fedaid.flare.software.site_software import PROPERTIES
from fedaid.sealed_folder import seal
from tests.admin.results_folder import write_run
from tests.admin.session.test_submit import Server
from tests.integration.conftest import MODEL


class Ended(Server):
    """A server whose only job ended, with results of two rounds."""

    whole = True

    def list_jobs(self, *, detailed: bool) -> list[dict[str, Any]]:
        return []

    def get_job_meta(self, job_id: str) -> dict[str, Any]:
        return {PROPERTIES: {RUN: "pilot", ATTEMPT: 1, ROUNDS: 2}}

    def get_client_job_status(self) -> list[Any]:
        return []

    def grep_target(self, *words: Any) -> str:
        return ""

    def download_job_result(self, job_id: str, destination: str) -> str:
        model = write_run(Path(destination) / job_id / "workspace") / "app_server" / "fedaid" / "best-00002"
        seal(model)
        if not self.whole:
            (model / "config.json").write_text("{ }")
        return str(Path(destination) / job_id)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Ended:
    server = Ended(status="FINISHED:ABNORMAL")

    @contextmanager
    def log_in(kit: Path) -> Iterator[Ended]:
        yield server

    monkeypatch.setattr(login, "admin_session", log_in)
    monkeypatch.setattr(lasting_session, "login", SimpleNamespace(admin_session=log_in))
    return server


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> str:
    return packaged(tmp_path_factory.mktemp("jobs"), rounds=2)


def packaged(out: Path, *, rounds: int) -> str:
    settings = MODEL | {"num_rounds": rounds, "min_clients": 2}
    return str(package_job("fedaid_pretrain", out=out, settings=settings, run_name="pilot"))


def followed(verb: str, job: str, out: Path) -> int:
    """The exit code of a verb that follows the job to its end."""
    words = {
        "monitor": ["monitor", "id-1"],
        "submit": ["submit", job, "--wait", "--out", str(out)],
        "run": ["run", job, "--attempts", "1", "--out", str(out)],
    }
    return main([*words[verb], "--kit", job])


@pytest.mark.parametrize("verb", ["monitor", "submit", "run"])
def test_whole_results_complete_a_job_whatever_flare_calls_it(
    verb: str, server: Ended, job: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert followed(verb, job, tmp_path / "out") == 0
    captured = capsys.readouterr()
    assert "FINISHED:ABNORMAL" in captured.out
    assert "warning: job id-1 ended as FINISHED:ABNORMAL (" in captured.err
    assert "but its results are whole: the run is complete" in captured.err


@pytest.mark.parametrize("verb", ["monitor", "submit", "run"])
@pytest.mark.parametrize("damage", ["model", "rounds", "aborted"])
def test_other_results_do_not(verb: str, damage: str, server: Ended, tmp_path: Path, job: str) -> None:
    server.whole = damage != "model"
    if damage == "aborted":
        server.status = "FINISHED:ABORTED"
    if damage == "rounds":
        job = packaged(tmp_path / "more", rounds=3)
        server.get_job_meta = lambda _: {PROPERTIES: {ROUNDS: 3}}  # type: ignore[method-assign]
    assert followed(verb, job, tmp_path / "out") == (4 if damage == "aborted" else 1)


def test_monitor_leaves_nothing_behind_and_does_not_download_a_job_that_was_not_through(
    server: Ended, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    assert followed("monitor", job, tmp_path / "out") == 0
    assert list((tmp_path / "temporary").iterdir()) == []
    statuses = iter(["RUNNING", "FINISHED:ABNORMAL"])
    stats = {"phase": "align", "current_round": 1, "num_rounds": 2, "site_losses": {}}
    monkeypatch.setattr(server, "get_job_status", lambda _: next(statuses))
    monkeypatch.setattr(server, "show_stats", lambda _, target: shown(target, stats))
    monkeypatch.setattr(server, "download_job_result", lambda *_: pytest.fail("it was downloaded"))
    assert followed("monitor", job, tmp_path / "out") == 1


def shown(target: str, stats: dict[str, Any]) -> dict[str, Any]:
    """What FLARE shows of a job's processes."""
    return {"server": {"FedAIDController": stats}} if target == "server" else {"lake": {"ClientRunner": {}}}


STOPPED = "x - ERROR - FATAL_SYSTEM_ERROR received: evaluate must have the answers of 2 sites (min_clients), got 0\n"


@pytest.mark.parametrize("verb", ["monitor", "submit", "run"])
def test_a_job_that_achieved_nothing_is_1_although_flare_calls_it_completed(
    verb: str,
    server: Ended,
    job: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def emptied(job_id: str, destination: str) -> str:
        store = Path(destination) / job_id / "workspace" / "app_server" / "fedaid"
        store.mkdir(parents=True)
        refused = {"lake": "draws must be at least 200"}
        found = {"models": {"global": {}}, "left_out": {"global": refused}}
        (store / "evaluation.json").write_text(json.dumps(found))
        return str(Path(destination) / job_id)

    server.status = "FINISHED:COMPLETED"
    monkeypatch.setattr(server, "download_job_result", emptied)
    monkeypatch.setattr(server, "get_job_logs", lambda _: {"logs": {"server": STOPPED}}, raising=False)
    assert followed(verb, job, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert ("evaluate must have the answers" if verb == "monitor" else "lake: draws must be at least 200") in said
