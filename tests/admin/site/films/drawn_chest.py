"""The mean chests of the digital twin, frontal and lateral; the program keeps a copy of each as a picture.

``python -m tests.admin.site.films.drawn_chest`` writes the pictures again after the twin's drawing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from admin.site.films.chest_template import CHEST, SIDE
from admin.site.films.view_screen import SIDE_CHEST
from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.findings import Findings

DRAWN, HIGHEST = 64, 65535


def drawn_side_chest() -> NDArray[np.uint16]:
    """Return the mean of some healthy lateral views, (SIDE, SIDE), 16 bits, bright = dense."""
    rng = np.random.default_rng(0)
    return _mean([draw_lateral(Findings(), sample_anatomy(rng), rng=rng, image_size=64) for _ in range(DRAWN)])


def drawn_chest() -> NDArray[np.uint16]:
    """Return the mean of some healthy chests, (SIDE, SIDE), 16 bits, bright = dense."""
    rng = np.random.default_rng(0)
    return _mean([draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=64) for _ in range(DRAWN)])


def _mean(drawn: Sequence[NDArray[np.floating]]) -> NDArray[np.uint16]:
    mean = Image.fromarray(np.mean(drawn, axis=0, dtype=np.float64).astype(np.float32))
    small = np.asarray(mean.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float64)
    return np.round(HIGHEST * small).astype(np.uint16)


if __name__ == "__main__":
    Image.fromarray(drawn_chest()).save(CHEST, optimize=True)
    Image.fromarray(drawn_side_chest()).save(SIDE_CHEST, optimize=True)
