"""The process that trains, played by a few lines of Python without torch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fedaid.flare.site.work import training_process as module
from fedaid.flare.site.work.abort import Aborted
from fedaid.flare.site.work.fault import Fault, Faulted
from fedaid.flare.site.work.training_process import OUTPUT, TrainingProcess

ECHO = """
import json, os, signal, sys, time
def tell(message): print(json.dumps(message), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    do = asked.get("do")
    if do == "die": os.kill(os.getpid(), asked["given"]["signal"])
    if do == "exit": sys.exit(3)
    if do == "hang": time.sleep(600)
    if do == "lack": tell({"fault": {"kind": "MemoryError", "text": "", "place": "", "reason": "out_of_memory"}})
    if do == "fail": tell({"fault": {"kind": "KeyError", "text": "", "place": "line 3", "reason": ""}})
    if do == "log": tell({"log": "fedaid.x", "level": 30, "text": "100 % of it"})
    if do in ("log", "say"):
        print("noise", file=sys.stderr, flush=True)
        tell({"value": asked["given"], "arrays": False})
    if do == "give":
        os.rename(asked["folder"] + "/given.safetensors", asked["folder"] + "/found.safetensors")
        tell({"value": None, "arrays": True})
    if asked.get("abort"): tell({"aborted": True})
"""
Start = Callable[[], TrainingProcess]


def keep_going() -> None:
    """No abort."""


def abort() -> None:
    raise Aborted


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(module, "kernel_kills", lambda: 5)
    return lambda: TrainingProcess(tmp_path, command=(sys.executable, "-S", "-c", ECHO))


def fault(process: TrainingProcess, do: str, **given: object) -> Fault:
    with pytest.raises(Faulted) as raised:
        process.ask(do, check=keep_going, **given)
    return raised.value.fault


@pytest.mark.parametrize(
    ("signal", "kind"),
    [(9, "signal 9, SIGKILL, perhaps out of memory"), (11, "signal 11, SIGSEGV"), (6, "signal 6, SIGABRT")],
)
def test_a_signal_that_ends_the_process_is_named_every_time_it_is_asked(signal: int, kind: str, start: Start) -> None:
    process = start()
    assert fault(process, "die", signal=signal) == Fault(kind, reason="killed")
    assert not process.alive
    assert fault(process, "say") == Fault(kind, reason="killed")


def test_an_exit_is_told_with_its_code(start: Start) -> None:
    assert fault(start(), "exit") == Fault("exit code 3", reason="killed")


def test_a_kill_that_the_kernel_has_counted_is_want_of_memory(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start()
    monkeypatch.setattr(module, "kernel_kills", lambda: 6)
    found = fault(process, "die", signal=9)
    assert found == Fault("signal 9, SIGKILL of the kernel", reason="out_of_memory")
    assert found.said("align").startswith("align: out of memory (signal 9, SIGKILL of the kernel). Lower batch_size")


def test_a_process_that_lacked_memory_is_ended_and_one_with_another_error_is_not(start: Start) -> None:
    process = start()
    assert fault(process, "fail") == Fault("KeyError", place="line 3")
    assert process.alive
    assert fault(process, "lack") == Fault("MemoryError", reason="out_of_memory")
    assert not process.alive
    assert fault(process, "say") == Fault("MemoryError", reason="out_of_memory")


def test_arrays_come_back_as_they_went(start: Start) -> None:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "b": np.array(7, np.int64)}
    process = start()
    found = process.ask("give", arrays, check=keep_going)[1]
    process.end()
    assert all(
        np.array_equal(found[name], array) and found[name].dtype == array.dtype for name, array in arrays.items()
    )


def test_only_the_owner_can_read_what_is_handed_over_and_nothing_is_left(start: Start, tmp_path: Path) -> None:
    process = start()
    folder = next(tmp_path.glob("fedaid_training_*"))
    assert folder.stat().st_mode & 0o777 == 0o700
    process.end()
    assert [file.name for file in tmp_path.iterdir()] == [OUTPUT]


def test_what_it_prints_stays_in_a_file_of_the_run_and_what_it_logs_is_logged(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = start()
    with caplog.at_level(logging.INFO):
        assert process.ask("log", check=keep_going, x=1)[0] == {"x": 1}
    process.end()
    assert (tmp_path / OUTPUT).read_text() == "noise\n"
    assert caplog.record_tuples == [("fedaid.x", logging.WARNING, "100 % of it")]


def test_an_abort_is_passed_on_and_the_process_goes_on(start: Start) -> None:
    process = start()
    with pytest.raises(Aborted):
        process.ask("slow", check=abort)
    assert process.ask("say", check=keep_going, x=2)[0] == {"x": 2}
    process.end()


def test_a_process_that_does_not_end_its_task_after_an_abort_is_ended(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GRACE", 0.3)
    process = start()
    with pytest.raises(Aborted):
        process.ask("hang", check=abort)
    assert not process.alive


def test_the_process_ends_with_its_input(start: Start) -> None:
    """The kernel closes the pipe of a killed parent."""
    process = start()
    process.ask("say", check=keep_going)
    process._process.stdin.close()  # type: ignore[union-attr]
    assert process._process.wait(60) == 0


def test_counts_of_kills_are_read_from_either_version_of_control_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fedaid.flare.site.work import kernel_kills as counts

    groups = tmp_path / "cgroup"
    monkeypatch.setattr(counts, "GROUPS", groups)
    monkeypatch.setattr(counts, "ROOT", tmp_path)
    assert counts.kernel_kills() is None
    groups.write_text("4:memory:/a/b\n0::/\n")
    assert counts.kernel_kills() is None
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.oom_control").write_text("under_oom 0\noom_kill 3\n")
    assert counts.kernel_kills() == 3
    groups.write_text("0::/c\n")
    (tmp_path / "memory.events").write_text("oom 1\noom_kill 4\n")
    assert counts.kernel_kills() == 4
