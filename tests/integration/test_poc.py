"""The packaged job in a POC federation, by each of the ways in that a person has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.federation.poc import PocFederation
from admin.results.run_results import read_results
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from fedaid.models.saved_model import load_model
from fedaid.version import VERSION
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general", "westmoor-chest-clinic"]


@pytest.fixture(scope="module")
def federation(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocFederation]:
    workspace = tmp_path_factory.mktemp("poc") / "run"
    with PocFederation(workspace, SITES, data_roots={site: consortium / site for site in SITES}) as running:
        yield running


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_job(tmp_path_factory.mktemp("jobs"), sites=3, num_rounds=1)


def finish(federation: PocFederation, job_id: str, out: Path) -> Path:
    """Waits for a job and returns the server's run folder."""
    with admin_session(federation.admin_kit) as session:
        status = monitor(session, job_id, on_progress=lambda progress: None, timeout=180)
        assert status == COMPLETED
        return download(session, job_id, out) / "workspace"


def assert_trained(run: Path, rounds: int) -> None:
    """The run has a result for every site and a model that loads."""
    results = read_results(run)
    assert [site.name for site in results.sites] == SITES
    assert results.rounds == rounds
    assert sum(site.site_weight for site in results.sites) == pytest.approx(1)
    assert len(list(load_model(results.model).parameters())) > 10
    assert (run / "app_server" / "FL_global_model.pt").is_file()
    assert (run / "app_server" / "best_FL_global_model.pt").is_file()


def test_submit_wait_and_download_by_our_command(federation: PocFederation, consortium: Path, tmp_path: Path) -> None:
    job = small_job(tmp_path / "jobs", sites=3, pretrain_steps=100)  # some seconds: the display looks once a second
    command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit), "--wait"]
    command += ["--out", str(tmp_path / "out"), "--format", "json", "--timeout", "240"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["data"]["job_status"] == COMPLETED
    result = Path(answer["data"]["result"])
    assert_trained(result / "workspace", rounds=2)
    assert json.loads((result / "meta.json").read_text())["custom_props"]["fedaid_version"] == VERSION
    assert re.search(r"round \d/2  pretrain  elapsed 0:00:\d\d", done.stderr), "live progress must name the phase"
    assert re.search(r"loss lindental-university=\d", done.stderr)
    assert re.search(r"weight lindental-university=0\.\d+", done.stderr)


def test_submit_by_flares_own_command_line(federation: PocFederation, job: Path, tmp_path: Path) -> None:
    nvflare = Path(sys.executable).with_name("nvflare")
    command = [str(nvflare), "--format", "json", "job", "submit", "-j", str(job)]
    environment = os.environ | {"HOME": str(tmp_path), "NVFLARE_STARTUP_KIT_DIR": str(federation.lead_kit)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_trained(finish(federation, json.loads(done.stdout)["data"]["job_id"], tmp_path / "out"), rounds=1)


def test_submit_in_the_admin_console(federation: PocFederation, job: Path, tmp_path: Path) -> None:
    console = subprocess.Popen(
        ["bash", str(federation.lead_kit / "startup" / "fl_admin.sh")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
    )
    try:
        assert console.stdin is not None
        for line, pause in ((None, 6), (f"submit_job {job}", 4), ("bye", 0)):
            if line:
                console.stdin.write(line + "\n")
                console.stdin.flush()
            time.sleep(pause)
        printed, _ = console.communicate(timeout=60)
    finally:
        if console.poll() is None:
            console.kill()
    found = re.search(r"[Ss]ubmitted job: ([0-9a-f-]{36})", printed)
    assert found, printed
    assert_trained(finish(federation, found.group(1), tmp_path / "out"), rounds=1)


def test_more_sites_than_are_connected_is_refused_before_submission(federation: PocFederation, tmp_path: Path) -> None:
    job = small_job(tmp_path / "jobs", sites=4)
    command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "error: min_clients must not be above the number of connected sites, got 4 with 3 connected" in done.stderr
