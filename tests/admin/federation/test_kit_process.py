from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from admin.federation.kit_process import (
    MARK,
    THREADS,
    KitProcess,
    end,
    family,
    kit_environment,
    site_threads,
    start_kit,
    wait_for,
)
from admin.federation.record import new_mark

DETACHED = "import subprocess, sys; p = subprocess.Popen(['sleep', '60'], start_new_session=True); print(p.pid)"


@pytest.fixture
def mark() -> Iterator[str]:
    """A mark whose processes are ended afterwards."""
    mark = new_mark()
    yield mark
    end(family([], mark=mark))


def make_kit(folder: Path, script: str) -> Path:
    (folder / "startup").mkdir(parents=True)
    (folder / "startup" / "sub_start.sh").write_text(script)
    return folder


def test_a_kit_runs_in_a_session_of_its_own_with_its_output_logged(tmp_path: Path, mark: str) -> None:
    kit = make_kit(tmp_path / "hospital", "echo $1 from $0; exec sleep 60")
    process = start_kit(kit, log=tmp_path / "log.txt", mark=mark)
    time.sleep(0.3)
    assert os.getsid(process.pid) == process.pid
    assert (tmp_path / "log.txt").read_text() == f"--once from {kit}/startup/sub_start.sh\n"
    assert process.running() is not None


def test_ending_a_family_ends_children_that_left_the_session(tmp_path: Path, mark: str) -> None:
    kit = make_kit(tmp_path / "hospital", f'"{sys.executable}" -c "{DETACHED}; import time; time.sleep(60)"')
    process = start_kit(kit, log=tmp_path / "log.txt", mark=mark)
    for _ in range(100):
        if (tmp_path / "log.txt").read_text().strip():
            break
        time.sleep(0.05)
    members = family([process], mark=mark)
    assert len(members) == 3
    assert end(members) == []
    assert not any(member.is_running() for member in members)


def test_an_orphan_is_found_by_its_mark(mark: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            DETACHED.replace("start_new", "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new"),
        ],
        env=kit_environment(mark),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert [process.pid for process in family([], mark=mark)] == [int(done.stdout)]


def test_processes_of_another_federation_are_left_alone(mark: str) -> None:
    process = subprocess.Popen(["sleep", "60"], env=kit_environment(mark))
    try:
        assert family([], mark=new_mark()) == set()
    finally:
        process.kill()
        process.wait()


def test_a_process_that_ignores_sigterm_is_killed(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.federation.kit_process.TERM_SECONDS", 0.3)
    process = subprocess.Popen(["/bin/bash", "-c", "trap '' TERM; while true; do sleep 0.1; done"])
    time.sleep(0.3)
    assert end([psutil.Process(process.pid)]) == []
    assert not psutil.pid_exists(process.pid)
    process.wait()


def test_an_id_that_was_given_to_another_process_is_not_ours() -> None:
    assert KitProcess("hospital", os.getpid(), 1.0).running() is None


def test_an_ended_process_does_not_run(mark: str) -> None:
    process = subprocess.Popen(["true"])
    recorded = KitProcess("hospital", process.pid, psutil.Process(process.pid).create_time())
    process.wait()
    assert recorded.running() is None


def test_waiting_tells_who_is_left(mark: str) -> None:
    process = subprocess.Popen(["sleep", "60"], env=kit_environment(mark))
    assert [left.pid for left in wait_for([psutil.Process(process.pid)], seconds=0.1)] == [process.pid]
    process.kill()
    process.wait()


def test_a_kit_finds_this_interpreter_and_uses_one_thread() -> None:
    environment = kit_environment("m")
    assert float(environment["NVFLARE_MAX_RUNNER_SYNC_TIMEOUT"]) > 60, "FLARE's, too short on a busy machine"
    assert environment["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert (environment["OMP_NUM_THREADS"], environment[MARK]) == ("1", "m")


@pytest.mark.parametrize(("cores", "sites", "threads"), [(8, 3, 2), (8, 2, 4), (2, 3, 1), (2, 1, 2)])
def test_sites_on_one_machine_share_its_cores(
    cores: int, sites: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert site_threads(sites) == threads


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("", 4), ("0", 4), ("many", 4)])
def test_the_users_own_number_of_threads_goes_before(given: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, given)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert site_threads(2) == threads


def test_a_kit_does_not_inherit_paths_that_would_mislead_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("NVFL_WORKSPACE", "/elsewhere")
    assert not {"PYTHONPATH", "NVFL_WORKSPACE"} & kit_environment("m").keys()


def test_the_user_may_say_how_long_a_site_waits_for_the_servers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NVFLARE_MAX_RUNNER_SYNC_TIMEOUT", "77")
    assert kit_environment("m")["NVFLARE_MAX_RUNNER_SYNC_TIMEOUT"] == "77"
    command = "from nvflare.fuel.utils.config_service import ConfigService as c; "
    command += "print(c.get_float_var('max_runner_sync_timeout', default=60.0))"
    done = subprocess.run([sys.executable, "-c", command], env=kit_environment("m"), capture_output=True, text=True)
    assert done.stdout == "77.0\n", "FLARE reads it under this name"
