"""The plane of a drawing: coordinates, brushes, and the area of the lungs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from admin.twin.drawing.anatomy import Anatomy
from admin.twin.findings import SIDES

Plane = NDArray[np.floating]

SIGN = {"left": 1.0, "right": -1.0}  # the patient's left is the right of the picture


@dataclass(frozen=True)
class Scene:
    """The plane of a drawing: coordinates, chest, lungs and a texture; planes are (H, W) float32."""

    x: Plane
    y: Plane
    anatomy: Anatomy
    lungs: dict[str, Plane]
    texture: Plane
    rng: Generator

    def lateral(self, side: str) -> Plane:
        """Return the distance from the midline towards one side."""
        return SIGN[side] * self.x

    def segment(self, start: tuple[float, float], end: tuple[float, float], *, radius: float) -> Plane:
        """Return a soft-edged bar between two points, in [0, 1]."""
        (ax, ay), (bx, by) = start, end
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip(((self.x - ax) * (bx - ax) + (self.y - ay) * (by - ay)) / length, 0.0, 1.0)
        return soft(radius - np.hypot(self.x - ax - along * (bx - ax), self.y - ay - along * (by - ay)), 0.03)

    def disc(self, centre: tuple[float, float], radii: tuple[float, float], *, edge: float = 0.25) -> Plane:
        """Return a soft-edged ellipse, in [0, 1]; ``edge`` is the width of its rim as a share of its radius."""
        return soft(1.0 - np.hypot((self.x - centre[0]) / radii[0], (self.y - centre[1]) / radii[1]), edge)


def soft(inside: Plane, width: float) -> Plane:
    """Return a linear ramp of ``width`` around ``inside`` = 0: 1 above it, 0 below it."""
    share: Plane = np.clip(inside / width + 0.5, 0.0, 1.0)
    return share


def blend(image: Plane, brightness: float | Plane, weight: Plane) -> Plane:
    """Return ``image`` mixed with ``brightness`` by ``weight``."""
    return image + weight * (brightness - image)


def build_scene(anatomy: Anatomy, rng: Generator, *, image_size: int) -> Scene:
    """Place a chest on the plane, slightly shifted, rotated and scaled at random."""
    axis = (np.arange(image_size, dtype=np.float32) + 0.5) * (2.0 / image_size) - 1.0
    shift_x, shift_y, angle = rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04), rng.uniform(-0.04, 0.04)
    zoom = rng.uniform(0.97, 1.04)
    across, down = (axis[None, :] - shift_x) * zoom, (axis[:, None] - shift_y) * zoom
    x = (across * np.cos(angle) + down * np.sin(angle)).astype(np.float32)
    y = (down * np.cos(angle) - across * np.sin(angle)).astype(np.float32)
    grain = rng.standard_normal((image_size, image_size), dtype=np.float32)
    texture = gaussian_filter(grain, image_size / 40.0, truncate=2.5)
    texture *= 1.0 / max(float(texture.std()), 1e-6)
    return Scene(x, y, anatomy, {side: _lung(x, y, anatomy, side) for side in SIDES}, texture, rng)


def _lung(x: Plane, y: Plane, anatomy: Anatomy, side: str) -> Plane:
    """Return the air of one lung: round at the apex, straight along the ribs, bounded by the diaphragm's dome."""
    lateral = SIGN[side] * x
    half = (anatomy.chest_width - anatomy.mediastinum) / 2 + 0.02
    rise = np.clip((0.1 - y) / (0.1 - anatomy.apex), 0.0, 1.0)
    width = half * np.sqrt(np.clip(1.0 - rise**2.6, 0.0, 1.0))
    across = lateral - anatomy.lung_centre + 0.1 * rise**2
    dome = anatomy.dome(side) + anatomy.dome_depth * (across / half + 0.25) ** 2
    return np.minimum(soft(width - np.abs(across) - 0.03, 0.05), soft(dome - y, 0.04))
