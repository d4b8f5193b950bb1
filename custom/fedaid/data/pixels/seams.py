"""Whether the numbers of an image wrap around, because its header states a wrong sign or too few bits.

In a radiograph, neighbours differ little. Read with the wrong sign, a number just below the middle and one just above
lie at opposite ends of the range: the image has a seam. It is read in another way if that way has no seam.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.data.pixels.stored_pixels import StoredPixels

ROWS = 64
"""Number of rows that are looked at."""
LEAST_SEAM, MOST_LEFT = 0.002, 0.05
"""Share of the neighbours that are a seam; share of the seam that another reading may leave."""
USUAL_PERCENT = 95
"""Percentage of the other neighbours that may be nearer to each other than those of a seam."""
MOST_EQUAL = 0.5
"""Share of a seam's pixels on one side that may be equal. White letters on black are no seam: they are one level."""


def without_seam(pixels: StoredPixels, bits: int) -> StoredPixels:
    """Return grey pixels with the sign and the bits that give no seam; as they are if they have none.

    Args:
        pixels: (H, W), as the header states them.
        bits: of a number, as stated.
    """
    if pixels.cells.dtype.kind not in "iu" or pixels.cells.dtype.itemsize > 2 or bits < 8:
        return pixels
    sample = pixels.cells[:: max(1, len(pixels.cells) // ROWS)]
    stated = pixels.numbers(sample)
    jumps = _jumps(stated, bits)
    if jumps < LEAST_SEAM * stated.size or not _is_seam(stated, bits):
        return pixels
    for other in _readings(pixels, bits):
        found = other.numbers(sample)
        if _jumps(found, max(bits, int(np.ptp(found.astype(np.int64))).bit_length())) <= MOST_LEFT * jumps:
            return other
    return pixels


def _readings(pixels: StoredPixels, bits: int) -> Iterator[StoredPixels]:
    """The pixels with the other sign, and with all bits of a cell."""
    yield replace(pixels, bits=bits, signed=not pixels.signed)
    if not pixels.shift:
        yield replace(pixels, bits=None)


def _jumps(numbers: NDArray[Any], bits: int) -> int:
    """How many neighbours in a row differ by more than half of the range."""
    return int((np.abs(np.diff(numbers.astype(np.int64))) > 1 << bits - 1).sum())


def _is_seam(numbers: NDArray[Any], bits: int) -> bool:
    """Whether the picture continues over its jumps: their neighbours are as near, around the range, as others are."""
    before, after = (side.astype(np.int64) for side in (numbers[:, :-1], numbers[:, 1:]))
    apart = np.abs(after - before)
    over = apart > 1 << bits - 1
    usual = np.percentile(apart[~over], USUAL_PERCENT) if not over.all() else 0
    sides = np.maximum(before, after)[over], np.minimum(before, after)[over]
    return float(np.median((1 << bits) - apart[over])) <= usual and max(map(_largest_share, sides)) <= MOST_EQUAL


def _largest_share(levels: NDArray[Any]) -> float:
    """The share of the most common level."""
    counts = np.unique(levels, return_counts=True)[1]
    return float(counts.max() / counts.sum())
