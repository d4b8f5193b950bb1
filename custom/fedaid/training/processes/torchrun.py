"""Starts several processes of one site by torchrun; they end together with the process that started them.

torchrun's option ``--standalone`` listens on all interfaces, so the processes find each other by a file instead. They
communicate over loopback, or between GPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds that torchrun may take to end after its processes
POLL = 0.1  # seconds
STORE = "torchrun_store"
_PACKAGES = str(Path(__file__).resolve().parents[3])
ENVIRONMENT = {
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # otherwise torchrun listens on all interfaces
    "GLOO_SOCKET_IFNAME": "lo",
    "NCCL_SOCKET_IFNAME": "lo",
    "PYTHONSAFEPATH": "1",  # no modules from the current folder
}


class ProcessesFailed(RuntimeError):
    """A phase that a process of the site did not finish; the text has no data of the site."""


class ProcessesLackMemory(ProcessesFailed):
    """The memory was not enough for one of the processes."""


def run_processes(entry: Sequence[str], folder: Path, *, processes: int, log: Path, check: Callable[[], None]) -> int:
    """Runs the processes and returns the exit code of torchrun: 0 if all processes succeeded.

    Each process inherits a pipe as its standard input. When this process closes the pipe or ends in any way, they end
    too, see :func:`fedaid.training.processes.rank.end_with_owner`. So a killed torchrun leaves no process behind.

    Args:
        entry: the command of each process: a script, or ``-m`` and a module, with its arguments.
        folder: private, for the file by which they find each other.
        processes: their number.
        log: file of their output; it stays at the site.
        check: called ten times a second; raises to end them.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            command(entry, folder, processes=processes),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=os.environ | ENVIRONMENT | {"PYTHONPATH": python_path()},
        )
    try:
        while process.poll() is None:
            check()
            time.sleep(POLL)
    finally:
        end(process)
    return process.returncode


def command(entry: Sequence[str], folder: Path, *, processes: int) -> list[str]:
    """The command line of torchrun for one machine, without restarts."""
    options = {
        "nnodes": "1",
        "nproc-per-node": str(processes),
        "rdzv-backend": "c10d",
        "rdzv-conf": "store_type=file",
        "rdzv-endpoint": str(folder / STORE),
        "rdzv-id": "phase",
        "max-restarts": "0",
        "monitor-interval": str(POLL),
        "log-dir": str(folder / "torchrun"),
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "torch.distributed.run", *given, *entry]


def python_path() -> str:
    """PYTHONPATH with this package, which is in a job on no path that processes inherit."""
    return os.pathsep.join(filter(None, [_PACKAGES, os.environ.get("PYTHONPATH")]))


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the processes and so torchrun; kills torchrun if it does not end."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
