from __future__ import annotations

import numpy as np

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.scene import Scene, blend, build_scene, soft


def scene(seed: int = 0, size: int = 96) -> Scene:
    rng = np.random.default_rng(seed)
    return build_scene(sample_anatomy(rng), rng, image_size=size)


def test_soft_is_one_inside_half_at_the_edge_zero_outside() -> None:
    assert soft(np.array([1.0, 0.0, -1.0]), 0.1).tolist() == [1.0, 0.5, 0.0]


def test_blend_goes_from_the_image_to_the_brightness() -> None:
    assert blend(np.full(3, 0.2), 1.0, np.array([0.0, 0.5, 1.0])).round(6).tolist() == [0.2, 0.6, 1.0]


def test_the_patients_left_lung_is_on_the_right_of_the_picture() -> None:
    columns = np.arange(96)
    centre = {side: (lung.sum(axis=0) * columns).sum() / lung.sum() for side, lung in scene().lungs.items()}
    assert centre["left"] > 48 > centre["right"]


def test_lungs_fill_a_plausible_part_of_the_picture_and_do_not_overlap() -> None:
    for seed in range(20):
        lungs = scene(seed).lungs
        assert 0.2 < (lungs["left"] + lungs["right"]).mean() < 0.55
        assert (lungs["left"] * lungs["right"]).max() < 0.05


def test_a_segment_covers_its_two_ends() -> None:
    drawn = scene().segment((-0.5, 0.0), (0.5, 0.0), radius=0.05)
    assert drawn[48, 30] == 1.0
    assert drawn[48, 66] == 1.0
    assert drawn[10, 48] == 0.0
