"""How far repeated measurements lie apart, how far two kinds of them do, and a command's time."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from scipy import stats


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


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences, its standard error, and the interval that holds the true one 95 times in 100.

    ``mean ± t · error`` with Student's t at n − 1 degrees of freedom, n pairs.
    """

    mean: float
    standard_error: float
    low: float
    high: float
    pairs: int

    def within(self, limit: float) -> bool | None:
        """Whether the true difference is within ±limit; None if its interval allows both."""
        if -limit <= self.low and self.high <= limit:
            return True
        return False if self.low > limit or self.high < -limit else None


def difference(ones: Sequence[float], others: Sequence[float]) -> Difference:
    """Return how far ``ones`` are above ``others``, pair by pair, of at least two."""
    apart = [one - other for one, other in zip(ones, others, strict=True)]
    mean, error = statistics.fmean(apart), statistics.stdev(apart) / len(apart) ** 0.5
    reach = float(stats.t.ppf(0.975, len(apart) - 1)) * error
    return Difference(mean, error, mean - reach, mean + reach, len(apart))


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
