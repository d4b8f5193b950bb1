"""The most memory that ``python -m admin prepare`` holds at once, its decoding processes included."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks.films import SMALL, write_site
from tests.benchmarks.prepare_speed import prepare_command

PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Peak:
    """MiB: ``tree`` of all processes, shared pages counted once (PSS); ``parent`` of the command's own (VmHWM)."""

    tree: float
    parent: float


def peak_memory(folder: Path, studies: int) -> Peak:
    """Return the peak of preparing so many small studies.

    Raises:
        RuntimeError: if prepare fails.
    """
    write_site(folder, studies, sizes=SMALL)
    peak = watched(prepare_command(folder, folder / "site", size=SMALL[0][0]))
    shutil.rmtree(folder)
    return peak


def watched(command: Sequence[str]) -> Peak:
    """Return the peak of a command."""
    process = subprocess.Popen(list(command), stdout=subprocess.DEVNULL)
    tree, parent = 0, 0
    while process.poll() is None:
        with suppress(psutil.Error, OSError):
            tree = max(tree, sum(family(psutil.Process(process.pid))))
            status = Path(f"/proc/{process.pid}/status").read_text()
            parent = max([parent, *(int(found) * 1024 for found in re.findall(r"VmHWM:\s*(\d+) kB", status))])
        time.sleep(PAUSE)
    if process.returncode:
        raise RuntimeError("prepare failed while its memory was watched")
    return Peak(tree=tree / 2**20, parent=parent / 2**20)


def family(process: psutil.Process) -> Iterable[int]:
    """Bytes that a process and each of its descendants hold; one that has just ended holds none."""
    for member in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            yield member.memory_full_info().pss


def growth(peaks: Mapping[int, Peak]) -> float:
    """Return the largest tree's share above the smallest, 0 if all are equal."""
    trees = [peak.tree for peak in peaks.values()]
    return max(trees) / min(trees) - 1
