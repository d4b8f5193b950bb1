"""An image as levels and a table of their grey values, which is converted row by row.

A detector has a few thousand levels and a few million pixels. So each level passes the grey transformations once, and
a pixel looks up its level. Only the rows that are being resized are floating-point numbers. The result is the same as
with a transformation of every pixel, in a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedaid.data.pixels.content import content_counts
from fedaid.data.pixels.intensity import finite, grey_range, measuring_grid, stretched, unit_range

Shown = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.floating]]
Padding = Callable[[NDArray[Any]], NDArray[np.bool_] | None]


class Picture(Protocol):
    """An image that can be resized: its size, and its rows as float32 in [0, 1]. An array is one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W)."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        """Some rows, (h, W)."""


class Film(NamedTuple):
    """A picture, and the height of its pixels over their width: 1 if they are square."""

    picture: Picture
    pixel_height: float = 1.0


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


def as_stored(stored: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.floating]:
    """The stored numbers, for images without grey transformations."""
    del counts
    return np.asarray(stored, dtype=np.float64)


def no_padding(stored: NDArray[Any]) -> None:
    """No padding: all pixels belong to the image."""


def grey_picture(stored: NDArray[Any], shown: Shown = as_stored, *, padding: Padding = no_padding) -> Picture:
    """Return stored numbers as an image in [0, 1]; padding is 0, the background of a radiograph.

    The range is measured as by :func:`fedaid.data.pixels.intensity.unit_range`, without padding and border.

    Args:
        stored: (H, W) of any number type.
        shown: stored numbers of any shape, and how often each counts → their grey values.
        padding: stored numbers → whether they are padding; None if none is.

    Raises:
        UnusableStudy: "image-not-finite" or "image-constant".
    """
    if stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        counts, padded = content_counts(stored, np.ones(stored.shape, dtype=bool), padding(stored), of=stored)
        picture = unit_range(shown(stored, counts), counts)
        return picture if padded is None else np.where(padded, np.float32(0), picture)
    levels = np.arange(int(stored.min()), int(stored.max()) + 1)
    counts, padded = content_counts(levels, level_counts(stored, levels), padding(levels), of=stored)
    values = finite(shown(levels, counts))
    level_greys = stretched(values, grey_range(values, counts))
    bits = f"u{stored.dtype.itemsize}"
    greys = np.zeros(1 << 8 * stored.dtype.itemsize, dtype=np.float32)
    greys[levels.astype(stored.dtype).view(bits)] = level_greys if padded is None else level_greys * ~padded
    return GreyPicture(np.ascontiguousarray(stored).view(bits), greys)


def level_counts(stored: NDArray[Any], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each level, from the lowest to the highest, occurs on the measuring grid."""
    above_least = np.subtract(measuring_grid(stored), levels[0], dtype=np.int64)
    return np.bincount(above_least.ravel(), minlength=levels.size)
