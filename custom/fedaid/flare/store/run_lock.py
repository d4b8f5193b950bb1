"""The lock of a run: one process at a time continues it, and the lock of a dead process is free."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any

from fedaid.errors import NotYet

LOCK = "LOCK"
WITHOUT_FLOCK = (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK)  # some network file systems
BOOT, PROCESSES = Path("/proc/sys/kernel/random/boot_id"), Path("/proc")


class RunLock:
    """Holds the lock file of a run's folder until :meth:`release`, or until this process ends in whatever way.

    The kernel frees the lock of a dead process. The file says who holds it: process, start of the machine and of the
    process, and job. On a file system without locks these decide, so that a number that was given again to another
    process does not count as alive.

    Args:
        folder: of the run.
        job_id: of this job, for the message of another one.

    Raises:
        NotYet: if a living process holds the lock; it names its job.
    """

    def __init__(self, folder: Path, *, job_id: str) -> None:
        self._handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alive = False
        except OSError as error:
            alive = error.errno not in WITHOUT_FLOCK or is_alive(self._holder())
        if alive:
            holder = self._holder()
            self.release()
            got = f"alive in job {holder.get('job', 'unknown')} (process {holder.get('pid', 'unknown')})"
            remedy = "Wait for that job, or abort it."
            raise NotYet(f"run {folder.name}", "be free", got=got, where="the server's run store", remedy=remedy)
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(this_process() | {"job": job_id}).encode(), 0)

    def _holder(self) -> dict[str, Any]:
        try:
            found = json.loads(os.pread(self._handle, 4096, 0))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def release(self) -> None:
        """Frees the lock; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def this_process() -> dict[str, Any]:
    """What tells this process from all others."""
    return {"pid": os.getpid(), "boot": boot_id(), "started": start_of(os.getpid())}


def is_alive(holder: dict[str, Any]) -> bool:
    """Whether the process that a lock file describes still runs."""
    pid = holder.get("pid")
    return isinstance(pid, int) and holder.get("boot") == boot_id() and start_of(pid) == holder.get("started", "")


def boot_id() -> str:
    """The start of this machine; empty where the system does not tell it."""
    return BOOT.read_text().strip() if BOOT.exists() else ""


def start_of(pid: int) -> str:
    """The start of a process in ticks of this machine; ``gone`` if there is no such process."""
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "gone"
