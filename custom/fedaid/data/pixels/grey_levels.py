"""A DICOM object's grey transformations: modality (LUT or rescale) and value of interest (LUT or window).

pydicom's functions are not used. They scale to the bit depth, which :func:`fedaid.data.pixels.intensity.unit_range`
undoes; they wrap around for 8-bit LUTs with more than 256 entries; and they refuse windows that could be ignored.
Source: DICOM PS3.3, C.11.1 (modality LUT) and C.11.2 (VOI LUT).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.data.header.pixel_tags import PixelTags, Window

Grey = NDArray[np.float64]

LEAST_INSIDE = 0.05
"""Share of the pixels between the ends of a window, below which it is for other numbers than those of the image."""
_SIGMOID_END = 1e-3


def modality_values(stored: NDArray[np.number], tags: PixelTags) -> Grey:
    """Return the values in the unit of the modality: by the modality LUT, or slope and intercept, or unchanged.

    Args:
        stored: stored numbers of an image, or of its levels; any shape.
        tags: of the object.
    """
    values = np.asarray(stored, dtype=np.float64)
    if tags.modality_lut is not None and np.isfinite(values).all():
        return tags.modality_lut(values)
    return values * tags.slope + tags.intercept


def windowed_values(values: Grey, counts: NDArray[Any], tags: PixelTags) -> Grey:
    """Return the values after the first VOI LUT or window of the object.

    A window is ignored if less than `LEAST_INSIDE` of the image lies between its ends, that is, if it makes nearly
    every pixel black or white. A common fault is a window for values before the rescale.

    Args:
        values: in the unit of the modality, of an image or of its levels; any shape.
        counts: how often each occurs in the image, without padding and border; same shape.
        tags: of the object.
    """
    if tags.voi_lut is not None and np.isfinite(values).all():
        shown = tags.voi_lut(values)
        inside = (shown > tags.voi_lut.entries.min()) & (shown < tags.voi_lut.entries.max())
    elif tags.window is not None:
        shown = _windowed(values, tags.window)
        end = _SIGMOID_END if tags.window.function == "SIGMOID" else 0.0
        inside = (shown > end) & (shown < 1 - end)
    else:
        return values
    return shown if counts[inside].sum() >= LEAST_INSIDE * counts.sum() > 0 else values


def _windowed(values: Grey, window: Window) -> Grey:
    """The values after a window: 0 below it, 1 above it."""
    centre, width = window.centre, window.width
    if window.function == "LINEAR":  # centre and width count values, not the distance between them: C.11.2.1.2.1
        centre, width = centre - 0.5, width - 1.0
    offset = (values - centre) / width
    if window.function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * offset, -500.0, 500.0)))
    return np.asarray(np.clip(offset + 0.5, 0.0, 1.0))
