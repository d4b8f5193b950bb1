"""How a picture lies: it is compared with a mean chest, upright, turned, flipped, mirrored and inverted.

The mean chest is the file chest.png, the mean of chests that the digital twin drew; it comes from no patient. The
comparison is a screen: docs/doctor.md says how often it is wrong on real films.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float64]
SIDE = 32
CHEST = Path(__file__).with_name("chest.png")
"""SIDE x SIDE pixels of 16 bits, bright = dense."""
LUNGS = slice(8, 22)
"""Rows of the template from the collar bones to the diaphragm."""
SHIFT = 5
"""How far, of `SIDE` pixels, a picture may be moved to fit the template."""


class Pose(NamedTuple):
    """How a picture lies.

    Attributes:
        upright: correlation with the template, -1 to 1.
        inverted: how much better the picture fits with black for white; negative if it does not.
        sideways: how much better it fits turned by a quarter.
        upside_down: how much better it fits turned by a half or flipped top to bottom.
        mirrored: how much better it fits flipped left to right, each moved to where it fits best.
        lungs: correlation with the template of the band in which the lungs lie, -1 to 1; low for a view from the side.
    """

    upright: float
    inverted: float
    sideways: float
    upside_down: float
    mirrored: float
    lungs: float

    @property
    def is_upright(self) -> bool:
        """Whether no other way fits better."""
        return max(self.inverted, self.sideways, self.upside_down) < 0

    def lies(self, how: str, *, margin: float) -> bool:
        """Whether it lies so by at least `margin`, and no other way fits better."""
        ways = {"inverted": self.inverted, "sideways": self.sideways, "upside_down": self.upside_down}
        return ways[how] >= margin and ways[how] == max(ways.values())


def pose_of(picture: NDArray[np.floating]) -> Pose:
    """Return how a picture lies.

    Args:
        picture: (H, W), without padding, bright = dense.
    """
    seen, template = standardised(picture), chest()
    quarter = max(_fit(np.rot90(seen, turns), template) for turns in (1, 3))
    half = max(_fit(np.rot90(seen, 2), template), _fit(np.flipud(seen), template))
    upright = _fit(seen, template)
    return Pose(
        upright=upright,
        inverted=-2 * upright,
        sideways=quarter - upright,
        upside_down=half - upright,
        mirrored=_best_fit(np.fliplr(seen), template) - _best_fit(seen, template),
        lungs=lungs_of(picture),
    )


def lungs_of(picture: NDArray[np.floating]) -> float:
    """Return the correlation of a picture with the template in the band in which the lungs lie, -1 to 1."""
    return _fit(standardised(standardised(picture)[LUNGS]), standardised(chest()[LUNGS]))


@cache
def chest() -> Plane:
    """The template, (SIDE, SIDE), of mean 0 and length 1."""
    with Image.open(CHEST) as image:
        return standardised(np.asarray(image, dtype=np.float64))


def standardised(picture: NDArray[np.floating]) -> Plane:
    """Return the picture at (SIDE, SIDE), of mean 0 and length 1; all 0 if it is constant."""
    image = Image.fromarray(np.asarray(picture, dtype=np.float32)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    plane = np.asarray(image, dtype=np.float64)
    plane = plane - plane.mean()
    length = float(np.linalg.norm(plane))
    return plane / length if length > 1e-6 else np.zeros_like(plane)


def _fit(seen: Plane, template: Plane) -> float:
    return float((seen * template).sum())


def _best_fit(seen: Plane, template: Plane) -> float:
    """The highest correlation over all shifts of up to `SHIFT` pixels, round the edges."""
    spectrum = np.fft.rfft2(seen) * np.conj(np.fft.rfft2(template))
    moved = np.fft.irfft2(spectrum, s=seen.shape)
    near = np.r_[0 : SHIFT + 1, -SHIFT:0]
    return float(moved[np.ix_(near, near)].max())
