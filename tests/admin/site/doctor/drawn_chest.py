"""The mean chest of the digital twin, of which the doctor keeps a copy as a picture.

``python -m tests.admin.site.doctor.drawn_chest`` writes the picture again after the twin's drawing has changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from admin.site.doctor.chest_template import CHEST, SIDE
from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.findings import Findings

DRAWN, HIGHEST = 64, 65535


def drawn_chest() -> NDArray[np.uint16]:
    """Return the mean of some healthy chests, (SIDE, SIDE), 16 bits, bright = dense."""
    rng = np.random.default_rng(0)
    drawn = [draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=64) for _ in range(DRAWN)]
    mean = Image.fromarray(np.mean(drawn, axis=0, dtype=np.float64).astype(np.float32))
    small = np.asarray(mean.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=np.float64)
    return np.round(HIGHEST * small).astype(np.uint16)


if __name__ == "__main__":
    Image.fromarray(drawn_chest()).save(CHEST, optimize=True)
