"""The most memory of the parts of a federation: what is in memory alone, and what a machine can drop and read again.

Memory that no file has (RssAnon and RssShmem) must stay in memory or in swap. Pages of files (RssFile) can leave it.
A process is counted with its descendants at one moment, so a site's job and the process that trains are one part.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PAUSE = 0.02  # seconds between two looks
SEARCH = 0.5  # seconds between two searches for new processes
FIELD = re.compile(r"^(RssAnon|RssShmem|RssFile|VmHWM):\s*(\d+) kB", re.MULTILINE)
Parts = Mapping[str, Iterable[int]]  # part → ids of its processes


@dataclass
class Peaks:
    """Bytes by part.

    Attributes:
        held: the most memory that no file has, of all processes of the part at one moment.
        resident: sum of the processes' own peaks, pages of files included.
    """

    held: dict[str, int] = field(default_factory=dict)
    resident: dict[str, dict[int, int]] = field(default_factory=dict)

    def look(self, parts: Parts) -> None:
        """Takes the present memory of all parts into account."""
        for part, processes in parts.items():
            found = {pid: status for pid in processes if (status := status_of(pid))}
            held = sum(one["RssAnon"] + one["RssShmem"] for one in found.values())
            self.held[part] = max(held, self.held.get(part, 0))
            self.resident.setdefault(part, {}).update({pid: one["VmHWM"] for pid, one in found.items()})

    @property
    def mb(self) -> dict[str, dict[str, float]]:
        """Both in MB, part by part."""
        return {
            part: {"held": held / 1e6, "resident": sum(self.resident[part].values()) / 1e6}
            for part, held in sorted(self.held.items())
        }


def status_of(pid: int) -> dict[str, int]:
    """Memory of a process in bytes by its field of /proc; empty if it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    found = {name: int(kib) * 1024 for name, kib in FIELD.findall(text)}
    return found if "RssAnon" in found else {}


@contextmanager
def watched(parts: Callable[[], Parts]) -> Iterator[Peaks]:
    """The peaks while the block runs, complete after it.

    Args:
        parts: finds the processes.
    """
    peaks, ended = Peaks(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            known = {part: list(processes) for part, processes in parts().items()}
            for _ in range(round(SEARCH / PAUSE)):
                peaks.look(known)
                if ended.wait(PAUSE):
                    return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()
