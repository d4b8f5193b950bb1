"""Whether a film of a chest seems to be frontal or lateral, by comparison with two drawn chests; it may be unsure.

Both chests are means of the digital twin's drawings, so no patient's picture travels with the program. docs/data.md
says how often the screen is wrong on real films. It is a last resort: what a header states comes first.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from admin.site.films.chest_template import LUNGS, SIDE, Plane, chest, standardised
from admin.site.films.picture_edges import without_bands, without_padding
from fedaid.data.header.views import FRONTAL, LATERAL

SIDE_CHEST = Path(__file__).with_name("side_chest.png")
"""SIDE x SIDE pixels of 16 bits, bright = dense: the mean lateral view."""
LEAST_FRONTAL, MOST_LATERAL = 0.2, -0.2
"""A score from the first on is frontal, up to the second lateral, and between them unsure."""
WEIGHT = 1.5
"""Of the better fit, beside the fit of the lungs."""
ACROSS, DOWN = 4, 3
"""How far, of `SIDE` pixels, a film may be moved to fit a template."""


def seen_side(picture: NDArray[np.floating]) -> str:
    """Return "frontal", "lateral", or an empty text if the picture does not decide.

    Args:
        picture: (S, S) in [0, 1], padded with 0, bright = dense.
    """
    score = frontal_score(picture)
    if score >= LEAST_FRONTAL:
        return FRONTAL
    return LATERAL if score <= MOST_LATERAL else ""


def score_at(file: Path, row: int | None) -> float | None:
    """Return the :func:`frontal_score` of a decoded film; None if it has no row in the file of pixels.

    Args:
        file: a .npy file (N, S, S).
        row: of the film.
    """
    if row is None:
        return None
    pixels = np.load(file, mmap_mode="r", allow_pickle=False)
    return frontal_score(np.asarray(pixels[row], dtype=np.float32))


def frontal_score(picture: NDArray[np.floating]) -> float:
    """Return how much more a film resembles a frontal chest than a lateral one, -4 to 4.

    It is the correlation with two dark lungs beside a bright middle, plus the weighted difference of the best fits to
    the frontal and to the lateral template, which may face either side.
    """
    seen = standardised(without_bands(without_padding(picture)))
    lungs = float((standardised_band(seen) * standardised_band(chest())).sum())
    lateral = max(_best_fit(seen, side_chest()), _best_fit(np.fliplr(seen), side_chest()))
    return lungs + WEIGHT * (_best_fit(seen, chest()) - lateral)


def standardised_band(plane: Plane) -> Plane:
    """Return the band of the lungs, of mean 0 and length 1."""
    return _normal(plane[LUNGS])


@cache
def side_chest() -> Plane:
    """The lateral template, (SIDE, SIDE), of mean 0 and length 1."""
    with Image.open(SIDE_CHEST) as image:
        return standardised(np.asarray(image, dtype=np.float64))


def _best_fit(seen: Plane, template: Plane) -> float:
    """The highest correlation of the common part over all shifts."""
    fits = [
        float((_normal(seen[rows, columns]) * _normal(template[other_rows, other_columns])).sum())
        for rows, other_rows in map(_overlap, range(-DOWN, DOWN + 1))
        for columns, other_columns in map(_overlap, range(-ACROSS, ACROSS + 1))
    ]
    return max(fits)


def _overlap(shift: int) -> tuple[slice, slice]:
    """The part of a picture that is moved by a shift, and the part of the template that it covers."""
    return slice(max(0, shift), SIDE + min(0, shift)), slice(max(0, -shift), SIDE - max(0, shift))


def _normal(plane: Plane) -> Plane:
    centred = plane - plane.mean()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 1e-9 else np.zeros_like(centred)
