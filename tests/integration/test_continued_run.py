"""A simulation that is killed is continued by a second one with the same run name, and ends with the same bits."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from admin.federation.simulate import simulate
from admin.results.run_results import read_results
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general"]
SETTINGS: dict[str, Any] = {
    "num_rounds": 4,
    "run_name": "pilot",
    "wire_dtype": "int8",
    "report_student_loss": True,
    "loss_baseline": "student",
    "server_optimizer": "adam",
    "server_learning_rate": 0.01,
}
OF_RUN = ("best", "last", "best_round", "history", "site_weights", "state_lost", "software_changes")


def end_of(store: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    results = json.loads((store / "results.json").read_text())
    tensors = {f"{file.parent.name}/{file.name}": file.read_bytes() for file in store.glob("*/*.safetensors")}
    return {name: results[name] for name in OF_RUN}, tensors


def kill_after(generation: Path, process: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Kills the simulator, and with it the server, as soon as a generation is committed."""
    deadline = time.monotonic() + seconds
    while not generation.exists():
        assert process.poll() is None, "the simulation ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    for one in family:
        one.kill()
    process.wait(60)
    psutil.wait_procs(family, timeout=30)


def test_a_simulation_that_is_killed_is_continued_with_the_same_bits(consortium: Path, tmp_path: Path) -> None:
    job = small_job(tmp_path / "jobs", sites=2, **SETTINGS)
    data, runs = consortium, tmp_path / "runs"
    expected = simulate(job, workspace=tmp_path / "whole", sites=SITES, data=data, timeout=240) / "fedaid"

    command = [sys.executable, "-m", "admin", "simulate", str(job), "--sites", *SITES, "--data", str(data)]
    command += ["--workspace", str(tmp_path / "first"), "--runs", str(runs)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        kill_after(runs / "server" / "pilot" / "round-00002", process, seconds=240)
    assert not (runs / "server" / "pilot" / "finished").exists()

    again = small_job(tmp_path / "jobs", sites=2, attempt=2, **SETTINGS)
    store = simulate(again, workspace=tmp_path / "second", sites=SITES, data=data, timeout=240, runs=runs) / "fedaid"
    assert "run pilot, attempt 2, continues after round" in (tmp_path / "second" / "console.txt").read_text()
    assert end_of(store) == end_of(expected)
    assert len(end_of(store)[1]) >= 4
    assert read_results(store.parents[1]).rounds == 4
