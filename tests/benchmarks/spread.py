"""How far repeated measurements lie apart, and a command's time."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Spread:
    """The least, the middle and the largest of some measurements."""

    min: float
    median: float
    max: float
    repeats: int

    def as_dict(self) -> dict[str, float]:
        """As it stands in data.json."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(min(values), statistics.median(values), max(values), len(values))


def seconds(*commands: Sequence[str]) -> float:
    """Return how long the commands take side by side, from the first one's start to the last one's end.

    Raises:
        RuntimeError: if one fails; its messages are on standard error.
    """
    begun = time.perf_counter()
    running = [subprocess.Popen(list(command), stdout=subprocess.DEVNULL) for command in commands]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"a command that was measured failed with exit code {max(codes)}")
    return time.perf_counter() - begun
