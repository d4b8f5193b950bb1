"""A control group of memory of version 1 below that of this process, for as long as a block runs."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

LIMIT, MEMBERS = "memory.limit_in_bytes", "cgroup.procs"


class MemoryGroup:
    """A group with a limit.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._above = limit, own_group()
        self._group = self._above / f"fedaid-chaos-{os.getpid()}"

    @staticmethod
    def allowed() -> bool:
        """Whether this process may make such a group."""
        return (own_group() / LIMIT).is_file() and os.access(own_group(), os.W_OK)

    def __enter__(self) -> Self:
        self._group.mkdir()
        (self._group / LIMIT).write_text(str(self._limit))
        return self

    def add(self, pid: int) -> None:
        """Moves a process into the group; the processes that it starts from now on are members too."""
        (self._group / MEMBERS).write_text(str(pid))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pid in (self._group / MEMBERS).read_text().split():
            (self._above / MEMBERS).write_text(pid)
        self._group.rmdir()


def own_group() -> Path:
    """The folder of this process's group of memory."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    paths = [line.split(":", 2)[2] for line in lines if "memory" in line.split(":", 2)[1].split(",")]
    return Path("/sys/fs/cgroup/memory") / (paths[0].strip("/") if paths else "absent")
