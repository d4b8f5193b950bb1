"""An image as levels and a table of their grey values, which is converted row by row.

A detector has a few thousand levels and a few million pixels. So each level passes the grey transformations once, and
a pixel looks up its level. Only the rows that are being resized are floating-point numbers. The result is the same as
with a transformation of every pixel, in a quarter of the time.
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
    """An image that can be resized: its size, and its rows as float32 in [0, 1]. An array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """Some rows, (h, W)."""


@dataclass(frozen=True)
class GreyPicture:
    """An image of whole-number levels.

    Attributes:
        levels: (H, W) uint8 or uint16, the stored bits.
        greys: (256,) or (65536,) float32 in [0, 1], the grey value of each level.
    """

    levels: NDArray[np.unsignedinteger]
    greys: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""
        return self.levels.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """The grey values of some rows, (h, W)."""
        return self.greys.take(self.levels[rows])


def as_stored(stored: NDArray[Any]) -> NDArray[np.floating]:
    """The stored numbers, for images without grey transformations."""
    return np.asarray(stored, dtype=np.float64)


def all_counted(stored: NDArray[Any]) -> None:
    """No padding: all pixels count."""


def grey_picture(stored: NDArray[Any], shown: Shown = as_stored, *, counted: Counted = all_counted) -> Picture:
    """Return stored numbers as an image in [0, 1], stretched as by :func:`fedaid.data.pixels.intensity.unit_range`.

    Args:
        stored: (H, W) of any number type.
        shown: stored numbers of any shape → their grey values.
        counted: stored numbers → whether they count for the range; None if all do.

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
    """Return how often each level, from the lowest to the highest, occurs on the measuring grid."""
    above_least = np.subtract(measuring_grid(stored), levels[0], dtype=np.int64)
    return np.bincount(above_least.ravel(), minlength=levels.size)
