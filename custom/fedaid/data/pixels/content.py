"""Which pixels of an image show the patient: neither padding, which the file declares, nor a border of one grey."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_CONTENT = 0.05
"""Share of an image that padding and border must leave; if they leave less, they are not what they seem to be."""
SIDE_SHARE = 0.9
"""Share of one side of an image that has one value if there is a border: a collimator, a frame, or burnt-out air."""

Mask = NDArray[np.bool_]


def content_counts(
    values: NDArray[Any], counts: NDArray[Any], padded: Mask | None, *, of: NDArray[Any]
) -> tuple[NDArray[Any], Mask | None]:
    """Return how often each value counts for statistics, and which values are padding.

    A declared padding that leaves almost nothing of the image is ignored.

    Args:
        values: stored numbers, or the levels that occur; any shape.
        counts: how often each occurs; same shape.
        padded: which are declared as padding; None if none is.
        of: the image (H, W).
    """
    total = counts.sum()
    if padded is not None and not counts[~padded].sum() >= LEAST_CONTENT * total > 0:
        padded = None
    if padded is not None:
        counts = counts * ~padded
    edges = border_values(of)
    if edges:
        inner = counts * ~np.isin(values, edges)
        if inner.sum() >= LEAST_CONTENT * total and np.ptp(values[inner > 0]) > 0:
            return inner, padded
    return counts, padded


def border_values(image: NDArray[Any]) -> list[Any]:
    """Return the values that fill a side of an image (H, W), each once."""
    found: list[Any] = []
    for side in (image[0], image[-1], image[:, 0], image[:, -1]):
        values, counts = np.unique(side, return_counts=True)
        if counts.max() >= SIDE_SHARE * side.size and values[counts.argmax()] not in found:
            found.append(values[counts.argmax()])
    return found
