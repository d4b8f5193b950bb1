"""What lies around a film: padding, frames, and what collimation left dark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FLAT = 0.03
"""A row is flat if the standard deviation of its grey levels is below this."""


def without_padding(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the picture without rows and columns of zeros at its edges; as it is if there is nothing else."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not len(rows):
        return picture
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def without_bands(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the picture without the flat rows and columns at its edges: frames, and what collimation left dark."""
    content = picture
    for _ in range(4):  # rows and columns in turn, as a band may lie inside of a frame
        uneven = np.flatnonzero(np.asarray(content, dtype=np.float64).std(axis=1) > FLAT)
        if len(uneven) < len(content) / 2:  # there is nothing but bands
            return picture
        content = content[uneven[0] : uneven[-1] + 1].T
    return content
