"""95 % intervals of shares, of their means and of their differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Z = 1.959963984540054  # of a 95 % interval of the normal distribution


@dataclass(frozen=True)
class Interval:
    """A measured value and its 95 % interval, as the evaluation writes them; the value is inside."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Plain JSON."""
        return asdict(self)


def interval_of(found: Mapping[str, Any], *, patients: int) -> Interval:
    """Return the interval in a dictionary with ``value``, ``low`` and ``high``, widened to include the value.

    If all resamples agree, for example because every study was found, the bootstrap has no information on other
    patients. Then the interval is :func:`wilson`'s for that number of patients, as it is if there are no limits.
    """
    value = float(found["value"])
    if found["low"] is None or found["low"] == found["high"]:
        return wilson(value, patients)
    return Interval(value, min(value, float(found["low"])), max(value, float(found["high"])))


def wilson(share: float, count: int) -> Interval:
    """Return the interval of a share of ``count`` independent studies.

    It is too wide for the mean of both directions of retrieval, which are not perfectly correlated, and too narrow
    with several studies of one patient. The evaluation's bootstrap over patients is correct in both cases.

    Args:
        share: in [0, 1].
        count: at least 1.

    Source: Wilson 1927, equation for p; without continuity correction.
    """
    spread = Z**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def mean_of(parts: Sequence[Interval]) -> Interval:
    """Return the mean over independent sites: the distances from value to limits add in squares."""
    count = len(parts)
    low = math.hypot(*(part.value - part.low for part in parts)) / count
    high = math.hypot(*(part.high - part.value for part in parts)) / count
    value = sum(part.value for part in parts) / count
    return Interval(value, value - low, value + high)


def difference(first: Interval, second: Interval) -> Interval:
    """Return ``first`` − ``second`` as if measured on different studies; too wide if the studies are the same."""
    value = first.value - second.value
    low = math.hypot(first.value - first.low, second.high - second.value)
    high = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - low, value + high)
