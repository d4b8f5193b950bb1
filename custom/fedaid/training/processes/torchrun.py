"""Several processes of one site, started by torchrun, ended with whoever started them.

torchrun's own ``--standalone`` listens on all interfaces, so its processes meet by a file instead; what they say to
each other goes over loopback, or between GPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 30.0  # seconds that torchrun has to end once its processes have
POLL = 0.1  # seconds
STORE = "torchrun_store"
_PACKAGES = str(Path(__file__).resolve().parents[3])
ENVIRONMENT = {
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # else torchrun listens on all interfaces
    "GLOO_SOCKET_IFNAME": "lo",
    "NCCL_SOCKET_IFNAME": "lo",
    "PYTHONSAFEPATH": "1",  # no module from whatever folder this happens to be
}


def run_processes(entry: Sequence[str], folder: Path, *, processes: int, log: Path, check: Callable[[], None]) -> int:
    """The exit code of torchrun: 0 if all processes ended well.

    Each inherits a pipe as its standard input. It closes when this process closes it or ends, in whatever way, and they
    end themselves by it, see :func:`fedaid.training.processes.rank.end_with_owner`: a killed torchrun leaves none.

    Args:
        entry: what each process runs: a script, or ``-m`` and a module, with its arguments.
        folder: private, for what they meet by.
        processes: how many.
        log: where their output goes; it stays at the site.
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
    """Where the processes find this package: in a job it is on no path that they would inherit."""
    return os.pathsep.join(filter(None, [_PACKAGES, os.environ.get("PYTHONPATH")]))


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends torchrun by ending its processes, and torchrun itself if that does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
