"""Maps the grey values of an image, any finite numbers, to [0, 1]; the same way for every file format."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fedaid.data.unusable import UnusableStudy

Number = TypeVar("Number", bound=np.generic)

MAX_PIXELS = 64_000_000
"""Largest number of pixels: three times that of the largest detectors."""

TAIL_PERCENT = 0.1
"""Percentage of pixels that may be clipped at each end of the range."""

MEASURED_PIXELS = 1 << 18
"""The range of a larger image is measured on a regular grid of about this many pixels, to save the time to sort."""


def unit_range(values: NDArray[np.floating], counted: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Return the values stretched linearly to [0, 1] and clipped at both ends.

    The range is measured: it is from the `TAIL_PERCENT` to the 100 - `TAIL_PERCENT` percentile of the image. Bit depth
    and window are not used, because 12-bit values in 16-bit files, too wide windows and LUTs with a wrong depth are
    common. Percentiles are used instead of the extremes, so that a few hot pixels have no effect.

    Args:
        values: (H, W), any unit.
        counted: (H, W), true for the pixels that count for the range, false for padding.

    Returns:
        (H, W) float32 in [0, 1]; reversing the sign of the input gives one minus the result.

    Raises:
        UnusableStudy: "image-not-finite", or "image-constant" if the two percentiles are equal.
    """
    grid = measuring_grid(finite(values))
    counts = np.ones(grid.shape) if counted is None else measuring_grid(counted)
    return stretched(values, grey_range(grid.ravel(), counts.ravel()))


def measuring_grid(values: NDArray[Number]) -> NDArray[Number]:
    """Return the regular grid of an image (H, W) on which its range is measured."""
    step = 1 + math.isqrt(max(0, values.size - 1) // MEASURED_PIXELS)
    return values[::step, ::step]


def finite(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the values.

    Raises:
        UnusableStudy: "image-not-finite" if one of them is NaN or infinite.
    """
    if not np.isfinite(values).all():
        raise UnusableStudy("image-not-finite")
    return values


def grey_range(values: NDArray[np.floating], counts: NDArray[Any]) -> tuple[float, float]:
    """Return the value that becomes 0 and the one that becomes 1.

    Args:
        values: (n,), finite.
        counts: (n,), how often each occurs among the pixels that count.

    Raises:
        UnusableStudy: "image-constant".
    """
    if not counts.any():
        raise UnusableStudy("image-constant")
    low, high = percentiles(values, counts, [TAIL_PERCENT, 100 - TAIL_PERCENT])
    if not high > low:
        raise UnusableStudy("image-constant")
    return float(low), float(high)


def percentiles(values: NDArray[np.floating], counts: NDArray[Any], percents: list[float]) -> NDArray[np.floating]:
    """Return the percentiles of repeated values, as linear ``np.percentile``, which does not take weights.

    Args:
        values: (n,).
        counts: (n,), how often each occurs; at least one is above 0.
        percents: from 0 to 100.
    """
    order = np.argsort(values)
    ordered, ends = values[order], np.cumsum(counts[order])
    places = np.asarray(percents) / 100 * (ends[-1] - 1)
    before = np.floor(places)
    one, next_one = (
        ordered[np.searchsorted(ends, np.minimum(place, ends[-1] - 1), side="right")] for place in (before, before + 1)
    )
    return np.asarray(one + (places - before) * (next_one - one))


def stretched(values: NDArray[np.floating], found: tuple[float, float]) -> NDArray[np.float32]:
    """Return the values, with the range ``found`` by :func:`grey_range`, stretched to [0, 1] and clipped."""
    low, high = found
    unit = np.subtract(values, low, dtype=np.float64)
    unit /= high - low
    return np.asarray(np.clip(unit, 0.0, 1.0, out=unit), dtype=np.float32)
