"""The effects of a machine on a drawn chest: exposure, blur, grain, collimation, and storage as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from admin.twin.drawing.scene import Plane
from admin.twin.hospital import Scanner

MARGIN = 0.1  # unused share of the stored range at each end, if the file states a window


@dataclass(frozen=True)
class Exposure:
    """One stored picture.

    Args:
        pixels: (H, W) uint8 or uint16, below ``2 ** bits``.
        bits: bits stored.
        inverted: MONOCHROME1, low values bright.
        rescale: slope and intercept from stored to output values.
        window: centre and width in output values; None if the file states no window.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    bits: int
    inverted: bool
    rescale: tuple[float, float] | None
    window: tuple[float, float] | None


def expose(image: Plane, scanner: Scanner, *, rng: Generator, inverted: bool) -> Exposure:
    """Render and digitise one drawn chest.

    Args:
        image: (H, W) float32 in [0, 1], bone bright.
        scanner: the machine.
        rng: random source of exposure, grain and collimation.
        inverted: whether low stored values are bright.
    """
    shown = rendered(image, scanner, rng=rng)
    shown = 1.0 - shown if inverted else shown
    low, high = (MARGIN, 1.0 - MARGIN) if scanner.windowed else (0.0, 1.0)
    top = 2**scanner.bits - 1
    stored = np.rint((low + (high - low) * shown) * top)
    pixels = stored.astype(np.uint8) if scanner.bits <= 8 else stored.astype(np.uint16)
    if not scanner.windowed:
        return Exposure(pixels, scanner.bits, inverted, None, None)
    slope, intercept = 2.0, -100.0
    centre, width = slope * top / 2 + intercept, slope * top * (high - low)
    return Exposure(pixels, scanner.bits, inverted, (slope, intercept), (round(centre), round(width)))


def rendered(image: Plane, scanner: Scanner, *, rng: Generator) -> Plane:
    """Return the picture after the machine's effects, in [0, 1]."""
    size = image.shape[0]
    if scanner.blur:
        image = gaussian_filter(image, scanner.blur * size, truncate=2.5)
    image = np.clip(0.5 + scanner.contrast * (image - 0.5), 0.0, 1.0) ** scanner.gamma
    image = image + rng.uniform(-scanner.exposure, scanner.exposure)
    image = image + scanner.noise * rng.standard_normal(image.shape, dtype=np.float32)
    widths = (rng.uniform(0.0, scanner.collimation, size=4) * size).astype(int)
    open_rows = slice(widths[0], size - widths[1])
    open_columns = slice(widths[2], size - widths[3])
    field = np.zeros_like(image)
    field[open_rows, open_columns] = 1.0
    return np.clip(image * field, 0.0, 1.0)
