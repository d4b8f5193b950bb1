"""One POC federation: its own properties, and jobs that a person submits in each of three ways."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from safetensors.numpy import load_file

from admin.__main__ import main
from admin.federation.kit_process import family
from admin.federation.poc import PocFederation
from admin.jobs.package import package_job
from admin.results.run_results import read_results
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import load_model
from fedaid.models.tensor_names import is_alignment
from fedaid.version import VERSION
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general", "westmoor-chest-clinic"]
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 3}
TRANSFORMERS: dict[str, Any] = {"image_encoder": {"name": "vit"} | SIZES, "text_encoder": {"name": "bert"} | SIZES}


@pytest.fixture(scope="module")
def federation(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocFederation]:
    workspace = tmp_path_factory.mktemp("poc") / "run"
    with PocFederation(workspace, SITES, data_roots={site: consortium / site for site in SITES}) as running:
        yield running


def test_all_sites_are_connected_under_their_names(federation: PocFederation) -> None:
    with admin_session(federation.lead_kit) as session:
        assert {client.name for client in session.get_connected_client_list()} == set(SITES)


def test_nothing_listens_beyond_loopback(federation: PocFederation) -> None:
    members = family(federation.record.processes, mark=federation.record.mark)
    heard = [c.laddr for member in members for c in member.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert federation.port in {address.port for address in heard}
    assert {address.ip for address in heard} == {"127.0.0.1"}


def test_each_site_finds_its_own_data(federation: PocFederation, source_jobs: Path, tmp_path: Path) -> None:
    job = package_job("trivial", out=tmp_path / "jobs", jobs=source_jobs, settings={"min_clients": 3})
    words = [str(job), "--kit", str(federation.lead_kit), "--wait", "--out", str(tmp_path / "out"), "--timeout", "120"]
    assert main(["submit", *words]) == 0
    written = json.loads(next((tmp_path / "out").glob("*/workspace/app_server/losses.json")).read_text())
    assert written["roots"] == {site: str(root) for site, root in federation.data_roots.items()}


def test_a_job_whose_site_dies_fails_with_1(federation: PocFederation, source_jobs: Path, tmp_path: Path) -> None:
    file = source_jobs / "trivial/app/config/config_fed_client.json"
    file.write_text(file.read_text().replace('"seconds": 0.5', '"crash": true'))
    job = package_job("trivial", out=tmp_path / "jobs", jobs=source_jobs, rename="crashing")
    words = [str(job), "--kit", str(federation.lead_kit), "--wait", "--out", str(tmp_path), "--timeout", "120"]
    assert main(["submit", *words]) == 1


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


@pytest.fixture(scope="module")
def fedavg(federation: PocFederation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a FedAvg job, submitted by FLARE's own command line."""
    folder = tmp_path_factory.mktemp("fedavg")
    job = small_job(folder / "jobs", sites=3, name="fedavg_pretrain", align_steps=0)
    nvflare = Path(sys.executable).with_name("nvflare")
    command = [str(nvflare), "--format", "json", "job", "submit", "-j", str(job)]
    environment = os.environ | {"HOME": str(folder), "NVFLARE_STARTUP_KIT_DIR": str(federation.lead_kit)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return finish(federation, json.loads(done.stdout)["data"]["job_id"], folder / "out")


def test_submit_by_flares_own_command_line(fedavg: Path) -> None:
    assert_trained(fedavg, rounds=2)


def test_fedavg_is_the_same_code_with_weights_by_pairs_and_no_alignment_phase(fedavg: Path) -> None:
    results = read_results(fedavg)
    pairs = {site.name: site.pairs for site in results.sites}
    assert len(pairs) == 3
    assert {site.name: site.site_weight for site in results.sites} == pytest.approx(
        {name: count / sum(pairs.values()) for name, count in pairs.items()}
    )
    assert all(train["binding"] == 0 for train in results.history[0]["train"].values())
    assert isinstance(load_model(results.model), DualEncoder)


@pytest.fixture(scope="module")
def adapted(federation: PocFederation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a job with adapters in both encoders, submitted in FLARE's admin console."""
    folder = tmp_path_factory.mktemp("adapters")
    job = small_job(folder / "jobs", sites=3, num_rounds=3, adapters={"rank": 2}, **TRANSFORMERS)
    return finish(federation, submitted_in_the_console(federation.lead_kit, job, home=folder), folder / "out")


def submitted_in_the_console(kit: Path, job: Path, *, home: Path) -> str:
    """The number of a job that a person submits by typing."""
    console = subprocess.Popen(
        ["bash", str(kit / "startup" / "fl_admin.sh")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)},
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
    return found.group(1)


def test_submit_in_the_admin_console(adapted: Path) -> None:
    assert_trained(adapted, rounds=3)


def test_in_a_run_with_adapters_frozen_weights_stay_and_travel_once(federation: PocFederation, adapted: Path) -> None:
    """The download has the last round; the server's run store has the one before, too."""
    store = adapted / "app_server" / "fedaid"
    settings = (adapted / "app_server" / "config" / "config_fed_server.json").read_text()
    (name,) = set(re.findall(r'"run_name": "([^"]+)"', settings))
    kept = federation.lead_kit.parent / federation.record.server / "fedaid_runs" / name
    first, last = (load_file(kept / f"round-{number:05d}" / "model.safetensors") for number in (2, 3))
    moved = {name for name in first if not (first[name] == last[name]).all()}
    assert any(".lora_" in name for name in moved)
    assert all(".lora_" in name or is_alignment(name) for name in moved)
    model = load_model(store / "round-00003")
    learns = sum(w.numel() * 4 for w in model.parameters() if w.requires_grad)
    align = sum(tensor.nbytes for name, tensor in last.items() if is_alignment(name))
    spent = json.loads((store / "results.json").read_text())["bytes"]["2"]
    for task, down, up in (("align", learns, align), ("pretrain", align, learns)):
        assert spent[task]["down"] < 3 * down + 60_000  # three sites; the names of what stays take their bytes, too
        assert spent[task]["up"] < 3 * up + 60_000
    assert sum(tensor.nbytes for tensor in last.values()) > 2 * learns


def test_more_sites_than_are_connected_is_refused_before_submission(federation: PocFederation, tmp_path: Path) -> None:
    job = small_job(tmp_path / "jobs", sites=4)
    command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "error: min_clients must not be above the number of connected sites, got 4 with 3 connected" in done.stderr
