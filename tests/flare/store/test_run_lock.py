from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.flare.store.run_lock import LOCK, RunLock, is_alive, this_process

HOLDER = """
import sys
from pathlib import Path
from fedaid.flare.store.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]), job_id="first")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_living_process_keeps_the_run_and_a_killed_one_does_not(tmp_path: Path) -> None:
    custom = str(Path(__file__).parents[3] / "custom")
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    environ = os.environ | {"PYTHONPATH": custom}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match=rf"must be free, got alive in job first \(process {process.pid}\)"):
            RunLock(tmp_path, job_id="second")
        process.kill()
    RunLock(tmp_path, job_id="second").release()
    assert json.loads((tmp_path / LOCK).read_text()) == this_process() | {"job": "second"}


def test_a_released_lock_is_free_and_may_be_released_again(tmp_path: Path) -> None:
    lock = RunLock(tmp_path, job_id="first")
    lock.release()
    lock.release()
    RunLock(tmp_path, job_id="second").release()


@pytest.mark.parametrize("change", [{"pid": 2**22 + 1}, {"started": "1"}, {"boot": "another"}, {"pid": None}])
def test_a_process_counts_as_alive_if_number_and_both_starts_agree(change: dict[str, Any]) -> None:
    assert is_alive(this_process())
    assert not is_alive(this_process() | change)


def test_where_the_file_system_has_no_locks_the_file_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    RunLock(tmp_path, job_id="first")
    with pytest.raises(InputError, match="alive in job first"):
        RunLock(tmp_path, job_id="second")
    (tmp_path / LOCK).write_text(json.dumps(this_process() | {"started": "1", "job": "first"}))
    RunLock(tmp_path, job_id="second").release()
