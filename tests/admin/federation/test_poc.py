from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.federation.kit_process import end, family
from admin.federation.kit_settings import read_json
from admin.federation.poc import PocFederation, poc_project
from admin.federation.project_file import as_project
from admin.federation.record import read_record
from admin.federation.stop import stop_federation
from admin.jobs.package import package_job
from admin.session.login import admin_session
from admin.session.submit import submit

ROOT = Path(__file__).resolve().parents[3]
SITES = ("hospital-a", "hospital_b")
LEAVE_BY_SIGTERM = """
import sys, time
from pathlib import Path
from admin.federation.poc import PocFederation
with PocFederation(Path(sys.argv[1]), ["a"], data_roots={"a": Path(sys.argv[2])}):
    print("up", flush=True)
    time.sleep(120)
"""


def test_the_poc_has_the_sites_given_and_the_users_of_nvflare_poc() -> None:
    project = as_project(poc_project(["x", "z"], 9123), where="test")
    assert (project.sites, project.server, project.lead) == (("x", "z"), "server", "lead@nvidia.com")
    assert project.content["participants"][0]["fed_learn_port"] == 9123


def test_no_site_of_a_poc_streams_its_log_to_the_server(tmp_path: Path) -> None:
    roots = {"x": tmp_path, "z": tmp_path}
    record = PocFederation(tmp_path, ["x", "z"], data_roots=roots).make_kits()
    found = [
        read_json(record.kits / site / "local" / "resources.json.default")["allow_log_streaming"] for site in roots
    ]
    assert found == [False, False]


def test_without_a_federation_the_status_is_not_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poc", "status", "--workspace", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: no federation runs in ")


def test_a_missing_data_folder_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["start", "--workspace", str(tmp_path / "run"), "--sites", "a", "--data", str(tmp_path)]
    assert main(["poc", *words]) == 1
    assert capsys.readouterr().err.startswith("error: data root must be a folder")


def make_data(folder: Path, sites: tuple[str, ...] = SITES) -> dict[str, Path]:
    for site in sites:
        (folder / site).mkdir(parents=True)
    return {site: folder / site for site in sites}


@pytest.mark.slow
def test_leaving_while_a_job_runs_ends_its_processes_too(source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path / "jobs", jobs=source_jobs, settings={"seconds": 60.0})
    with PocFederation(tmp_path / "run", SITES, data_roots=make_data(tmp_path / "data")) as federation:
        record = federation.record
        with admin_session(federation.lead_kit) as session:
            submit(session, job)
        deadline = time.monotonic() + 30
        while len(family(record.processes, mark=record.mark)) < 6 and time.monotonic() < deadline:
            time.sleep(0.2)
        members = family(record.processes, mark=record.mark)
        assert len(members) == 6  # server and two sites, each with its job's process
    assert family(record.processes, mark=record.mark) == set()
    assert not any(member.is_running() for member in members)


@pytest.mark.slow
def test_sigterm_ends_the_federation(tmp_path: Path) -> None:
    make_data(tmp_path / "data", ("a",))
    command = [sys.executable, "-c", LEAVE_BY_SIGTERM, str(tmp_path / "run"), str(tmp_path / "data" / "a")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        record = read_record(tmp_path / "run")
        assert record is not None
        assert len(family(record.processes, mark=record.mark)) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        assert family(record.processes, mark=record.mark) == set()
    finally:
        process.kill()
        process.wait()
        left = read_record(tmp_path / "run")
        end(family(left.processes, mark=left.mark) if left else [])


@pytest.mark.slow
def test_the_command_leaves_it_running_until_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_data(tmp_path / "data", ("a",))
    place = ["--workspace", str(tmp_path / "run")]
    try:
        assert main(["poc", "start", *place, "--sites", "a", "--data", str(tmp_path / "data")]) == 0
        assert main(["poc", "status", *place]) == 0
        assert "connected: a" in capsys.readouterr().out.splitlines()
        assert main(["poc", "start", *place, "--sites", "a", "--data", str(tmp_path / "data")]) == 1
        assert main(["poc", "stop", *place]) == 0
        assert main(["poc", "status", *place]) == 2
    finally:
        stop_federation(tmp_path / "run", grace=0.0)
