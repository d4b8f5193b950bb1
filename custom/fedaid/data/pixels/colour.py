"""Grey images that are stored as colour: three equal channels, or a palette of greys."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from fedaid.data.header.element_values import BROKEN
from fedaid.data.unusable import UnusableStudy

COLOUR_TOLERANCE = 8
"""Largest difference of the channels of a grey image, of 255 levels: the effect of JPEG compression, not a tint."""

COLOURS = ("Red", "Green", "Blue")
PALETTE_TAGS = tuple(
    f"{prefix}{colour}PaletteColorLookupTable{part}"
    for colour in COLOURS
    for prefix, part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
)
"""The keywords that :func:`palette_greys` reads."""


def grey_of_channels(channels: NDArray[Any], *, highest: int = 255) -> NDArray[np.float64]:
    """Return the mean of the channels of a grey image.

    Args:
        channels: (..., 3), red, green and blue.
        highest: the highest level.

    Returns:
        (...), in levels.

    Raises:
        UnusableStudy: "image-colour" if the channels differ.
    """
    if np.ptp(channels, axis=-1).max() > COLOUR_TOLERANCE / 255 * highest:
        raise UnusableStudy("image-colour")
    return np.asarray(channels.mean(axis=-1, dtype=np.float64))


def luma_as_channels(cells: NDArray[Any], *, bits: int) -> NDArray[np.int64]:
    """Return luma and chroma as three channels that are equal where the image is grey; they are no true colours.

    Args:
        cells: (..., 3), luma and the two chroma.
        bits: of a number.
    """
    channels = cells.astype(np.int64)
    channels[..., 1:] += channels[..., :1] - (1 << bits - 1)
    return channels


def palette_greys(header: Dataset, cells: NDArray[Any]) -> NDArray[np.float64]:
    """Return the grey values of an image (H, W) that is stored as places in a palette.

    Args:
        header: with the palette.
        cells: (H, W), unsigned.

    Raises:
        UnusableStudy: "image-colour" if a colour of the palette occurs in the image, or if the palette is broken.
    """
    levels, places = np.unique(cells, return_inverse=True)
    try:
        colours = apply_color_lut(levels[None], header)[0]
    except BROKEN:
        raise UnusableStudy("image-colour") from None
    return grey_of_channels(colours, highest=np.iinfo(colours.dtype).max)[places.reshape(cells.shape)]
