"""How many processes the kernel has killed for want of memory, as the control group of this process counts them."""

from __future__ import annotations

from pathlib import Path

GROUPS, ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
COUNT = "oom_kill"


def kernel_kills() -> int | None:
    """The count of this process's control group, version 2 or 1; None if it cannot be read."""
    try:
        groups = [line.split(":", 2) for line in GROUPS.read_text().splitlines()]
    except (OSError, ValueError):
        return None
    counts = (count_of(file) for _, controllers, path in groups for file in files_of(controllers, path))
    return next((count for count in counts if count is not None), None)


def files_of(controllers: str, path: str) -> list[Path]:
    """Where the count may be; in a container the control group is mounted as if it were the root."""
    if controllers == "":
        return [ROOT / path.strip("/") / "memory.events", ROOT / "memory.events"]
    if "memory" in controllers.split(","):
        return [ROOT / "memory" / path.strip("/") / "memory.oom_control", ROOT / "memory" / "memory.oom_control"]
    return []


def count_of(file: Path) -> int | None:
    """The number after ``oom_kill``."""
    try:
        words = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return None
    return next((int(word[1]) for word in words if word[0] == COUNT), None)
