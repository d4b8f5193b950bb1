from __future__ import annotations

import numpy as np
import pytest

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.chest import draw_chest
from admin.twin.drawing.scene import build_scene


@pytest.mark.parametrize("seed", range(8))
def test_lungs_are_dark_the_heart_bright_and_the_air_black(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scene = build_scene(sample_anatomy(rng), rng, image_size=128)
    image = draw_chest(scene)
    lung = image[scene.lungs["right"] > 0.99].mean()
    heart = image[scene.disc((scene.anatomy.heart_offset, 0.3), (0.12, 0.1)) > 0.99].mean()
    assert lung < 0.35
    assert heart > lung + 0.2
    assert image[0, 0] < 0.1
