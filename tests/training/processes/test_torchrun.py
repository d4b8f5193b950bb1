from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fedaid.training.processes.torchrun import ENVIRONMENT, command, end, python_path, run_processes
from fedaid.training.trainer import keep_going
from tests.training.process_table import becomes, runs

LOADED = 240.0  # seconds: with 20 other programs on two cores three processes start in 70 s, and torchrun ends in 18 s
OWNED = """
import json, os, socket, sys, threading, time
from pathlib import Path
from fedaid.training.processes.rank import end_with_owner, join
threading.Thread(target=end_with_owner, daemon=True).start()
folder = Path(sys.argv[1])
join(folder / "meeting")

def sockets(pid):
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return {link[8:-1] for link in links if link.startswith("socket:")}

def listening(pid):
    own, lines = sockets(pid), [line.split() for kind in ("tcp", "tcp6") for line in open(f"/proc/{pid}/net/{kind}")]
    return [line[1].split(":")[0] for line in lines[1:] if len(line) > 9 and line[3] == "0A" and line[9] in own]

told = {"pids": [os.getppid(), os.getpid()], "listening": listening(os.getppid()) + listening(os.getpid())}
draft = folder / f"draft-{os.environ['RANK']}"
draft.write_text(json.dumps(told))
draft.rename(folder / f"told-{os.environ['RANK']}")
time.sleep(float(sys.argv[2]))
"""
OWNER = """
import sys
from pathlib import Path
from fedaid.training.processes.torchrun import run_processes
folder = Path(sys.argv[1])
entry = [str(folder / "owned.py"), str(folder), "300"]
run_processes(entry, folder, processes=2, log=folder / "log", check=lambda: None)
"""


@pytest.fixture
def owned(tmp_path: Path) -> Path:
    """A folder with a script that says who it is and sleeps."""
    (tmp_path / "owned.py").write_text(OWNED)
    return tmp_path


def told(folder: Path) -> list[dict[str, list[int]]]:
    """What the two processes say once both have met."""
    files = [folder / "told-0", folder / "told-1"]
    return [json.loads(file.read_text()) for file in files] if all(file.exists() for file in files) else []


def pids(folder: Path) -> set[int]:
    return {pid for one in told(folder) for pid in one["pids"]}


def run(folder: Path, seconds: float, check: Callable[[], None]) -> int:
    entry = [str(folder / "owned.py"), str(folder), str(seconds)]
    return run_processes(entry, folder, processes=2, log=folder / "log", check=check)


def test_torchrun_is_given_a_file_to_meet_by_and_no_restart(tmp_path: Path) -> None:
    given = command(["-m", "module", "x"], tmp_path, processes=4)
    assert given[:3] == [sys.executable, "-m", "torch.distributed.run"]
    assert given[-3:] == ["-m", "module", "x"]
    assert {"--nproc-per-node=4", "--max-restarts=0", "--rdzv-conf=store_type=file"} < set(given)
    assert not any("standalone" in option for option in given)


def test_traffic_is_bound_to_loopback() -> None:
    assert {ENVIRONMENT["GLOO_SOCKET_IFNAME"], ENVIRONMENT["NCCL_SOCKET_IFNAME"]} == {"lo"}


def test_the_package_is_found_before_what_is_on_the_path_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    first, second = python_path().split(os.pathsep)
    assert (Path(first) / "fedaid" / "training" / "processes" / "rank.py").is_file()
    assert second == "/elsewhere"


def test_a_process_that_does_not_heed_its_pipe_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.training.processes.torchrun.PATIENCE", 0.2)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE)
    end(process)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_all_processes_meet_and_listen_on_loopback_only(owned: Path) -> None:
    assert run(owned, 0.0, keep_going) == 0, (owned / "log").read_text()
    addresses = {address for one in told(owned) for address in one["listening"]}
    assert addresses == {"0100007F"}  # 127.0.0.1, of gloo; torchrun itself listens on nothing


@pytest.mark.slow
def test_when_torchrun_is_killed_its_processes_end(owned: Path) -> None:
    killed: list[int] = []

    def kill() -> None:
        if told(owned) and not killed:
            killed.append(told(owned)[1]["pids"][0])
            os.kill(killed[0], signal.SIGKILL)

    assert run(owned, 300, kill) != 0
    assert len(pids(owned)) == 3
    assert becomes(lambda: not any(map(runs, pids(owned))), seconds=LOADED)


@pytest.mark.slow
def test_they_end_with_the_process_that_started_them(owned: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(owned)], env=os.environ | {"PYTHONPATH": python_path()})
    try:
        assert becomes(lambda: bool(told(owned)), seconds=LOADED)
    finally:
        owner.kill()
        owner.wait()
    assert len(pids(owned)) == 3
    assert becomes(lambda: not any(map(runs, pids(owned))), seconds=LOADED)
