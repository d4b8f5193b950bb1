"""Numbers with what chance could have made of them: 95 % intervals of shares, of their means and differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Z = 1.959963984540054  # of a 95 % interval of the normal distribution


@dataclass(frozen=True)
class Interval:
    """A measured value and its 95 % interval, as the evaluation writes them; the value lies inside."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Plain JSON."""
        return asdict(self)


def interval_of(found: Mapping[str, Any], *, patients: int) -> Interval:
    """The interval of a share that a dictionary with ``value``, ``low`` and ``high`` holds, widened to the value.

    Where all resamples agree, as where every study was found, they tell nothing of other patients. Then it is
    :func:`wilson`'s of so many patients, as it is where there are no limits.
    """
    value = float(found["value"])
    if found["low"] is None or found["low"] == found["high"]:
        return wilson(value, patients)
    return Interval(value, min(value, float(found["low"])), max(value, float(found["high"])))


def wilson(share: float, count: int) -> Interval:
    """The interval of a share of ``count`` studies, as if each of them were a draw of its own.

    For the mean of the two ways of retrieval it is on the wide side, since the two are not perfectly correlated; for
    several studies of one patient it is on the narrow side. The evaluation's bootstrap over patients errs in neither.

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
    """The mean over sites that know nothing of each other: their distances to the ends add in squares."""
    count = len(parts)
    low = math.hypot(*(part.value - part.low for part in parts)) / count
    high = math.hypot(*(part.high - part.value for part in parts)) / count
    value = sum(part.value for part in parts) / count
    return Interval(value, value - low, value + high)


def difference(first: Interval, second: Interval) -> Interval:
    """``first`` − ``second`` as if measured on different studies, which is on the wide side if they are the same."""
    value = first.value - second.value
    low = math.hypot(first.value - first.low, second.high - second.value)
    high = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, value - low, value + high)
