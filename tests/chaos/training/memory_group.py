"""A control group of memory below that of this process, for as long as a block runs.

Version 1 and version 2. A group of version 2 that limits its children must have no process itself, so there all
processes of this process's group wait in another child. That needs a group that is delegated to this user, as
``systemd-run --user --scope -p Delegate=yes`` makes one. Only version 1 was tried on a real machine.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT, GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MEMBERS, CONTROLLERS, CHILDREN = "cgroup.procs", "cgroup.controllers", "cgroup.subtree_control"
LIMIT_1, LIMIT, SWAP = "memory.limit_in_bytes", "memory.max", "memory.swap.max"


class MemoryGroup:
    """A group with a limit.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._above, self._first = limit, own_group(), is_version_1()
        self._group = self._above / f"fedaid-chaos-{os.getpid()}"
        self._others = self._above / f"{self._group.name}-others"  # version 2 only

    @staticmethod
    def allowed() -> bool:
        """Whether this process may make such a group."""
        above = own_group()
        if is_version_1():
            return (above / LIMIT_1).is_file() and os.access(above, os.W_OK)
        writable = all(os.access(above / name, os.W_OK) for name in ("", MEMBERS, CHILDREN))
        return above != ROOT and writable and "memory" in (above / CONTROLLERS).read_text().split()

    def __enter__(self) -> Self:
        try:
            if not self._first:
                self._others.mkdir()
                moved(self._above, self._others)
                (self._above / CHILDREN).write_text("+memory")
            self._group.mkdir()
            (self._group / (LIMIT_1 if self._first else LIMIT)).write_text(str(self._limit))
            if (self._group / SWAP).is_file():
                (self._group / SWAP).write_text("0")
        except OSError:
            self._remove()
            raise
        return self

    def add(self, pid: int) -> None:
        """Moves a process into the group; the processes that it starts from now on are members too."""
        (self._group / MEMBERS).write_text(str(pid))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._remove()

    def _remove(self) -> None:
        """Moves all processes back and removes what was made."""
        if self._group.is_dir():
            moved(self._group, self._above if self._first else self._others)
            self._group.rmdir()
        if self._others.is_dir():
            with suppress(OSError):  # it may not have come so far
                (self._above / CHILDREN).write_text("-memory")
            moved(self._others, self._above)
            self._others.rmdir()


def moved(source: Path, target: Path) -> None:
    """Moves every process of a group, also those that start in the meantime."""
    while pids := {*(source / MEMBERS).read_text().split()} - {"0"}:  # 0: a process that this one cannot see
        for pid in pids:
            with suppress(ProcessLookupError):  # it has ended
                (target / MEMBERS).write_text(pid)


def is_version_1() -> bool:
    """Whether the memory of this process is counted by a group of version 1."""
    return any("memory" in line.split(":", 2)[1].split(",") for line in GROUPS.read_text().splitlines())


def own_group() -> Path:
    """The folder of this process's group of memory."""
    first, lines = is_version_1(), [line.split(":", 2) for line in GROUPS.read_text().splitlines()]
    paths = [path for _, names, path in lines if ("memory" in names.split(",") if first else names == "")]
    return (ROOT / "memory" if first else ROOT) / (paths[0].strip("/") if paths else "absent")
