"""A picture whose greys are worked out row by row, because most of what is done to a radiograph depends on its level.

A detector has a few thousand levels and a few million pixels. So each level passes the grey transformations once, a
pixel looks its level up, and only the rows that are being resized are ever floating-point numbers. The result is the
same as if every pixel passed them; the time is a quarter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fedaid.data.pixels.intensity import finite, grey_range, measuring_grid, stretched, unit_range

Shown = Callable[[NDArray[Any]], NDArray[np.floating]]
Counted = Callable[[NDArray[Any]], NDArray[np.bool_] | None]


class Picture(Protocol):
    """What can be resized: its size, and its rows as float32 in [0, 1]; an array is one too."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """Some of its rows, (h, W)."""


@dataclass(frozen=True)
class GreyPicture:
    """A picture of whole-number levels.

    Attributes:
        levels: (H, W) uint8 or uint16, the bits as stored.
        greys: (256,) or (65536,) float32 in [0, 1], what each of them is shown as.
    """

    levels: NDArray[np.unsignedinteger]
    greys: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        return self.levels.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """The greys of some rows, (h, W)."""
        return self.greys.take(self.levels[rows])


def as_stored(stored: NDArray[Any]) -> NDArray[np.floating]:
    """The stored numbers themselves, for pictures that have no grey transformations."""
    return np.asarray(stored, dtype=np.float64)


def all_counted(stored: NDArray[Any]) -> None:
    """Nothing is padding."""


def grey_picture(stored: NDArray[Any], shown: Shown = as_stored, *, counted: Counted = all_counted) -> Picture:
    """Return stored numbers as a picture in [0, 1], stretched as :func:`fedaid.data.pixels.intensity.unit_range` does.

    Args:
        stored: (H, W) of any number type.
        shown: stored numbers, in any shape, to the grey values that stand for them.
        counted: stored numbers to whether they take part in measuring the range; None if all do.

    Raises:
        UnusableStudy: "image-not-finite" or "image-constant".
    """
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        return unit_range(shown(stored), counted(stored))
    lowest, highest = int(stored.min()), int(stored.max())
    levels = np.arange(lowest, highest + 1)
    values, counts = finite(shown(levels)), level_counts(stored, levels)
    kept = counted(levels)
    found = grey_range(values, counts if kept is None else counts * kept)
    bits = f"u{stored.dtype.itemsize}"
    greys = np.zeros(1 << 8 * stored.dtype.itemsize, dtype=np.float32)
    greys[levels.astype(stored.dtype).view(bits)] = stretched(values, found)
    return GreyPicture(np.ascontiguousarray(stored).view(bits), greys)


def level_counts(stored: NDArray[Any], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each of the levels, all from the least to the largest, occurs on the measuring grid."""
    above_least = np.subtract(measuring_grid(stored), levels[0], dtype=np.int64)
    return np.bincount(above_least.ravel(), minlength=levels.size)
