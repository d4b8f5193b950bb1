"""A run whose server's processes are killed goes on by itself, and ends with the bits of a run without a stop."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from admin.federation.kit_process import children_of, family, start_kit
from admin.federation.poc import PocFederation
from admin.results.run_results import STORE
from tests.integration.conftest import small_job
from tests.integration.test_continued_run import end_of

pytestmark = pytest.mark.long
SITES = ["lindental-university", "st-brigid-general"]
SETTINGS: dict[str, Any] = {
    "num_rounds": 6,
    "pretrain_steps": 8,
    "wire_dtype": "int8",
    "report_student_loss": True,
    "loss_baseline": "student",
    "server_optimizer": "adam",
    "server_learning_rate": 0.01,
}
SECONDS = 400.0


def command(federation: PocFederation, job: Path, out: Path) -> list[str]:
    words = ["run", str(job), "--kit", str(federation.lead_kit), "--out", str(out), "--format", "json"]
    return [sys.executable, "-m", "admin", *words]


def wait_for(generation: Path, run: subprocess.Popen[str]) -> float:
    """Waits until a generation is committed; returns the seconds that it took."""
    start = time.monotonic()
    while not generation.exists():
        assert run.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < start + SECONDS
        time.sleep(0.05)
    return time.monotonic() - start


def kill(*processes: psutil.Process) -> None:
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=30)


def restart_server(federation: PocFederation, log: Path) -> None:
    """Kills the server with its job's process, as a power failure does, and starts it again."""
    record = federation.record
    server = next(process for process in record.processes if process.kit == record.server)
    parent = server.running()
    assert parent is not None
    known = {parent, *children_of(parent)}
    jobs = {one for one in family([server], mark=record.mark) if str(record.server_kit) in " ".join(one.cmdline())}
    kill(*(known | jobs))
    start_kit(record.server_kit, log=log, mark=record.mark)


def test_a_run_outlives_its_servers_processes(consortium: Path, tmp_path: Path) -> None:
    roots = {site: consortium / site for site in SITES}
    jobs = [small_job(tmp_path / name, sites=2, run_name=name, **SETTINGS) for name in ("whole", "killed")]
    with PocFederation(tmp_path / "poc", SITES, data_roots=roots) as federation:
        whole = subprocess.run(command(federation, jobs[0], tmp_path / "out"), capture_output=True, text=True)
        assert whole.returncode == 0, whole.stderr

        store = federation.record.server_kit / "fedaid_runs" / "killed"
        with subprocess.Popen(
            command(federation, jobs[1], tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run:
            wait_for(store / "round-00002", run)
            kill(psutil.Process(json.loads((store / "LOCK").read_text())["pid"]))
            seconds = [wait_for(store / "round-00003", run)]
            wait_for(store / "round-00004", run)
            restart_server(federation, tmp_path / "server-again.txt")
            seconds.append(wait_for(store / "round-00005", run))
            out, errors = run.communicate(timeout=SECONDS)
    print(errors, "seconds from a kill to the next committed round:", seconds)
    assert run.returncode == 0, errors
    expected, found = (json.loads(text)["data"] for text in (whole.stdout, out))
    assert [ended["status"] for ended in found["attempts"]][-1] == "FINISHED:COMPLETED"
    assert len(found["attempts"]) == 3
    assert "its process at the server was killed or failed" in errors
    assert "lost the connection" in errors
    assert found["attempts"][1]["status"] == "DEAD"
    ends = [end_of(Path(data["result"]) / "workspace" / STORE) for data in (expected, found)]
    assert ends[0] == ends[1]
    assert len(ends[0][1]) >= 4
