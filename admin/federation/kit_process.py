"""Start the process of a startup kit, and end it with all its descendants, by process id and never by name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

THREADS = "OMP_NUM_THREADS"  # torch and numpy read their number of threads from it
MARK = "FEDAID_FEDERATION"  # an environment variable that every process of one federation inherits
SYNC, SYNC_SECONDS = "NVFLARE_MAX_RUNNER_SYNC_TIMEOUT", "300"  # how long a site waits for a job's process at the server
TERM_SECONDS = 3.0
KILL_SECONDS = 3.0


@dataclass(frozen=True)
class KitProcess:
    """The parent process of one kit; ``created`` distinguishes it from a later process with the same id."""

    kit: str
    pid: int
    created: float

    def running(self) -> psutil.Process | None:
        """Return the live process, or None if it ended."""
        try:
            process = psutil.Process(self.pid)
            ended = process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - self.created) > 1.0
        except psutil.NoSuchProcess:
            return None
        return None if ended else process


def site_threads(sites: int) -> int:
    """Return the number of threads for each site: its share of this machine's cores, at least one.

    Without a limit torch uses all cores in every site. OMP_NUM_THREADS in the user's environment takes precedence.
    """
    given = os.environ.get(THREADS, "")
    return int(given) if given.isdecimal() and int(given) else max(1, len(os.sched_getaffinity(0)) // sites)


def kit_environment(mark: str, *, home: Path | None = None, threads: int = 1) -> dict[str, str]:
    """Return this process's environment with the interpreter's folder first on PATH, ``threads``, and ``mark``.

    A kit's ``start.sh`` runs ``python3``. PATH must lead it to the interpreter that has nvflare. All processes share
    this machine: under load the server's process of a job takes longer to load torch than the 60 s that FLARE's sites
    wait for it, so they wait longer unless the user's environment says how long.
    """
    left_out = ("PYTHONPATH", "NVFL_WORKSPACE", "NVFLARE_POC_WORKSPACE")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment[THREADS] = str(threads)
    environment[MARK] = mark
    environment.setdefault(SYNC, SYNC_SECONDS)
    return environment if home is None else environment | {"HOME": str(home)}


def start_kit(kit: Path, *, log: Path, mark: str, threads: int = 1) -> KitProcess:
    """Start a server's or a site's kit in a new process session and return its process.

    ``--once`` runs the kit without the restarting daemon of ``start.sh``. That daemon sleeps five seconds first.
    """
    command = ["/bin/bash", str(kit / "startup" / "sub_start.sh"), "--once"]
    with log.open("ab") as console:
        process = subprocess.Popen(  # noqa: S603 - the kit's own script, no shell, no user input
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=kit_environment(mark, threads=threads),
            start_new_session=True,
        )
    return KitProcess(kit.name, process.pid, psutil.Process(process.pid).create_time())


def family(parents: Iterable[KitProcess], *, mark: str) -> set[psutil.Process]:
    """Return the live parents, their descendants, and the orphans that carry ``mark``.

    A job's process has its own session, so it outlives a killed parent. It inherits the parent's environment.
    """
    found: set[psutil.Process] = set()
    for parent in parents:
        process = parent.running()
        if process is not None:
            found.add(process)
            found.update(children_of(process))
    return found | {process for process in psutil.process_iter() if carries(process, mark)}


def children_of(process: psutil.Process) -> list[psutil.Process]:
    """Return all live descendants of ``process``; an empty list if it has just ended."""
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def carries(process: psutil.Process, mark: str) -> bool:
    """Return whether the environment of ``process`` carries the federation's ``mark``."""
    try:
        return bool(process.pid != os.getpid() and process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):
        return False


def wait_for(processes: Iterable[psutil.Process], *, seconds: float) -> list[psutil.Process]:
    """Wait for the processes to end, and return those that still run after ``seconds``."""
    _, left = psutil.wait_procs(list(processes), timeout=seconds)
    return [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def end(processes: Iterable[psutil.Process]) -> list[int]:
    """End the processes with SIGTERM, then with SIGKILL, and return the ids of those that survived both."""
    left = list(processes)
    for send, seconds in ((psutil.Process.terminate, TERM_SECONDS), (psutil.Process.kill, KILL_SECONDS)):
        for process in left:
            try:
                send(process)
            except psutil.NoSuchProcess:
                continue
        left = wait_for(left, seconds=seconds)
    return [process.pid for process in left]
