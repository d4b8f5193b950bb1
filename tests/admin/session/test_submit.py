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
from admin.jobs.plan import Conditions, plan_job, write_plan
from admin.jobs.settings import change_settings
from admin.session import lasting_session, login
from admin.session.submit import submit
from fedaid.errors import InputError
from tests.integration.conftest import MODEL


class Server:
    """Accepts jobs, and finishes each as ``status`` says."""

    def __init__(self, sites: int = 2, status: str = "FINISHED:COMPLETED") -> None:
        self.sites, self.status = sites, status
        self.submitted: list[Path] = []

    def get_connected_client_list(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=f"site-{number}") for number in range(1, self.sites + 1)]

    def submit_job(self, folder: str) -> str:
        (Path(folder) / ".__nvfl_sig.json").touch()  # FLARE signs in place
        self.submitted.append(Path(folder))
        return "id-1"

    def get_job_status(self, job_id: str) -> str:
        return self.status

    def show_stats(self, job_id: str, target: str) -> dict[str, Any]:
        return {}

    def download_job_result(self, job_id: str, destination: str) -> str:
        (Path(destination) / job_id / "workspace").mkdir(parents=True)
        return str(Path(destination) / job_id)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server that the command logs in to."""
    server = Server()

    @contextmanager
    def log_in(kit: Path) -> Iterator[Server]:
        yield server

    monkeypatch.setattr(login, "admin_session", log_in)
    return server


def words(job: Path, out: Path, *more: str) -> list[str]:
    return ["submit", str(job), "--kit", str(job), "--out", str(out), *more]


def test_a_copy_of_that_name_is_submitted_and_the_package_stays_as_it_was(trivial_job: Path) -> None:
    server, before = Server(), sorted(trivial_job.rglob("*"))
    assert submit(server, trivial_job) == "id-1"
    assert server.submitted[0].name == "trivial"
    assert sorted(trivial_job.rglob("*")) == before


def test_too_few_sites_are_refused_before_submission(trivial_job: Path) -> None:
    server = Server(sites=1)
    with pytest.raises(InputError, match=r"min_clients must not be above .* got 2 with 1 connected \(site-1\)"):
        submit(server, trivial_job)
    assert server.submitted == []


def test_an_unsound_job_is_refused_before_submission(trivial_job: Path) -> None:
    (trivial_job / "app/custom/trivial/executor.py").unlink()
    server = Server()
    with pytest.raises(InputError):
        submit(server, trivial_job)
    assert server.submitted == []


def test_without_wait_the_id_is_all(
    server: Server, trivial_job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(trivial_job, tmp_path)) == 0
    assert capsys.readouterr().out == "job id-1\n"


def test_json_is_one_envelope_on_stdout(
    server: Server, trivial_job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(trivial_job, tmp_path / "out", "--wait", "--format", "json")) == 0
    result = {"job_id": "id-1", "job_status": "FINISHED:COMPLETED", "result": str(tmp_path / "out" / "id-1")}
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": "1",
        "status": "ok",
        "exit_code": 0,
        "data": result | {"missed": []},
    }


def test_a_job_that_failed_ends_with_1_and_its_result_is_fetched(
    server: Server, trivial_job: Path, tmp_path: Path
) -> None:
    server.status = "FINISHED:EXECUTION_EXCEPTION"
    assert main(words(trivial_job, tmp_path / "out", "--wait")) == 1
    assert (tmp_path / "out" / "id-1" / "workspace").is_dir()


def test_a_job_that_never_started_fails_with_the_site_that_did_not_answer(
    server: Server,
    trivial_job: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server has no workspace of such a job; that it sent none is not the reason."""
    server.status = "FINISHED:FAILED_TO_RUN"
    details = ["server: OK", "site-1: OK", "site-2: no reply (deployment timeout)"]
    monkeypatch.setattr(server, "get_job_meta", lambda job_id: {"job_deploy_detail": details}, raising=False)
    monkeypatch.setattr(server, "download_job_result", lambda job_id, destination: str(Path(destination) / job_id))
    assert main(words(trivial_job, tmp_path, "--wait")) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: site site-2 did not answer in time when the server gave it the job. The job ended as "
        "FINISHED:FAILED_TO_RUN: it left no result"
    )


def test_a_job_that_takes_too_long_ends_with_3_and_tells_its_id(
    server: Server, trivial_job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status = "RUNNING"
    assert main(words(trivial_job, tmp_path, "--wait", "--timeout", "0.01", "--format", "json")) == 3
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["exit_code"], answer["data"]["job_id"]) == ("error", 3, "id-1")


def test_a_server_that_is_gone_ends_with_2_and_the_job(
    server: Server,
    trivial_job: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def gone(job_id: str) -> str:
        raise ConnectionError("cannot connect to server")

    monkeypatch.setattr(server, "get_job_status", gone)
    monkeypatch.setattr(lasting_session, "PATIENCE", 0.0)
    monkeypatch.setattr(lasting_session, "server_address", lambda kit: "here:8003")
    assert main(words(trivial_job, tmp_path, "--wait")) == 2
    lost, error = capsys.readouterr().err.splitlines()
    assert lost.startswith("warning: lost the connection to here:8003: cannot connect to server")
    assert error.endswith("cannot connect to server; job id-1 (rounds committed: not known) may go on")


def test_ctrl_c_tells_the_id_of_the_job_that_goes_on(
    server: Server,
    trivial_job: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(job_id: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "get_job_status", interrupt)
    assert main(words(trivial_job, tmp_path, "--wait", "--format", "json")) == 130
    assert json.loads(capsys.readouterr().out)["data"]["job_id"] == "id-1"


def test_diagnostics_go_to_stderr(
    server: Server, trivial_job: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.sites = 0
    assert main(words(trivial_job, tmp_path)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: min_clients must not be above the number of connected sites")


def test_a_job_whose_timeouts_no_plan_checked_is_submitted_with_a_warning(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    assert main(words(job, tmp_path)) == 0
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("warning: no plan has checked the timeouts of fedaid_pretrain: python -m admin plan ")
    assert captured.out == "job id-1\n"


def test_a_job_can_be_submitted_where_the_servers_model_folder_is_not(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEDAID_MODELS", raising=False)
    job = package_job("fedaid_pretrain", out=tmp_path, settings=MODEL)
    change_settings(job, {"text_encoder": {"name": "local:bert"}})
    assert main(words(job, tmp_path)) == 0


@pytest.mark.parametrize("kind", ["planned", "local_pretrain", "trivial"])
def test_a_planned_job_and_one_whose_rounds_exchange_no_model_are_submitted_without_a_word(
    kind: str, trivial_job: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "fedaid_pretrain" if kind == "planned" else kind
    job = trivial_job if kind == "trivial" else package_job(name, out=tmp_path, settings=MODEL)
    if kind == "planned":
        conditions = Conditions(sites=2, bandwidth_mbit=100.0, step_seconds=0.1, studies=10, decode_seconds=0.0)
        write_plan(job, plan_job(job, conditions))
    assert main(words(job, tmp_path)) == 0
    assert capsys.readouterr().err == ""
