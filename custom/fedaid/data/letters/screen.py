"""A cheap screen for lines of letters: many short strokes side by side, at three sizes, across or along.

A stroke is a part of a row that is brighter, or darker, than its surroundings. A line of letters has a stroke every few
pixels in each of some neighbouring rows. Ribs, tubes and the edge of a collimator have few strokes. Rulers and grids
have as many as letters, so the screen only proposes places.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fedaid.data.pixels.grey_picture import GreyPicture, Picture

Grey = NDArray[np.uint8]

SIDE = 700
"""Length in pixels to which the longer side is scaled: up exactly, or down by a whole number, to 525 to 1049 pixels."""

LEVELS = 3
"""Number of sizes at which the picture is searched; each is half of the one before."""

COLUMNS, ROWS = 40, 5
"""Window in which strokes are counted, in pixels."""

WIDEST = 11
"""Widest stroke in pixels."""


class Sensitivity(NamedTuple):
    """What counts as a line of letters.

    Attributes:
        contrast: least difference of a stroke from its surroundings, of 255 grey levels.
        strokes: least mean number of strokes in each row of a window.
    """

    contrast: int
    strokes: float


class Place(NamedTuple):
    """A rectangle in pixels of the full picture: first row and column, then the row and column after the last."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def area(self) -> int:
        """Its area in pixels."""
        return (self.bottom - self.top) * (self.right - self.left)


def full_grey(picture: Picture) -> Grey:
    """Return the picture in 256 grey levels, enlarged to :data:`SIDE` if its longer side is shorter."""
    if isinstance(picture, GreyPicture):
        grey = cv2.LUT(picture.levels, np.rint(255 * picture.greys).astype(np.uint8))
    else:
        grey = np.rint(255 * np.clip(picture[:], 0.0, 1.0)).astype(np.uint8)
    times = SIDE / max(picture.shape)
    return np.asarray(grey if times <= 1 else cv2.resize(grey, None, fx=times, fy=times), dtype=np.uint8)


def places(grey: Grey, sensitivity: Sensitivity) -> list[Place]:
    """Return where lines of letters may stand in a picture (H, W)."""
    small = shrunk(grey)
    mask = np.zeros(small.shape, dtype=np.uint8)
    for level in range(LEVELS):
        size = (small.shape[1] >> level, small.shape[0] >> level)
        if min(size) < COLUMNS:
            break
        part: Grey = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA))
        found = dense(part, sensitivity) | dense(np.ascontiguousarray(part.T), sensitivity).T
        mask |= np.asarray(cv2.resize(found, small.shape[::-1], interpolation=cv2.INTER_NEAREST))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask)
    step = max(grey.shape) / max(small.shape)
    edges = (boxes[n, :2].tolist() + (boxes[n, :2] + boxes[n, 2:4]).tolist() for n in range(1, count))
    return [Place(*(round(step * edge) for edge in (top, left, bottom, right))) for left, top, right, bottom in edges]


def shrunk(grey: Grey) -> Grey:
    """Return the picture at the size at which it is searched: the longer side 1.5 times :data:`SIDE` at most."""
    factor = max(1, round(max(grey.shape) / SIDE))
    height, width = (max(1, length // factor) for length in grey.shape)
    whole = grey[: height * factor, : width * factor]  # a whole number of pixels in each is six times faster
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def dense(grey: Grey, sensitivity: Sensitivity) -> Grey:
    """Return where (H, W) a window has enough strokes side by side: 1 in the whole window, else 0."""
    found = np.zeros(grey.shape, dtype=np.uint8)
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        stroke = np.asarray(cv2.morphologyEx(grey, kind, np.ones((1, WIDEST), dtype=np.uint8)))
        is_stroke = stroke >= sensitivity.contrast
        begins = np.zeros(grey.shape, dtype=np.uint8)
        begins[:, 1:] = is_stroke[:, 1:] & ~is_stroke[:, :-1]
        strokes = np.asarray(cv2.boxFilter(begins, cv2.CV_16S, (COLUMNS, ROWS), normalize=False))
        found |= strokes >= sensitivity.strokes * ROWS
    return np.asarray(cv2.dilate(found, np.ones((ROWS, COLUMNS), dtype=np.uint8)))
