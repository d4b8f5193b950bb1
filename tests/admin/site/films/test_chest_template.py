from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from admin.site.films.chest_template import CHEST, SIDE, Pose, chest, pose_of, standardised
from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.findings import Findings
from tests.admin.site.films.drawn_chest import drawn_chest


@pytest.fixture(scope="module")
def film() -> np.ndarray:
    rng = np.random.default_rng(7)
    return draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=96)


def test_a_sound_film_lies_upright(film: np.ndarray) -> None:
    pose = pose_of(film)
    assert pose.is_upright
    assert pose.upright > 0.6
    assert pose.lungs > 0.4
    assert pose.mirrored < 0


@pytest.mark.parametrize("turns", [1, 3])
def test_a_film_turned_by_a_quarter_lies_sideways(film: np.ndarray, turns: int) -> None:
    assert pose_of(np.rot90(film, turns)).lies("sideways", margin=0.05)


def test_a_film_turned_by_a_half_or_flipped_is_upside_down(film: np.ndarray) -> None:
    assert pose_of(np.rot90(film, 2)).lies("upside_down", margin=0.05)
    assert pose_of(np.flipud(film)).lies("upside_down", margin=0.05)


def test_a_film_with_black_for_white_is_inverted_and_nothing_else(film: np.ndarray) -> None:
    pose = pose_of(1 - film)
    assert pose.lies("inverted", margin=0.05)
    assert not pose.lies("sideways", margin=0.05)


def test_a_mirrored_film_fits_better_mirrored(film: np.ndarray) -> None:
    assert pose_of(np.fliplr(film)).mirrored == pytest.approx(-pose_of(film).mirrored, abs=1e-6)


def test_a_view_from_the_side_has_no_two_lungs() -> None:
    rng = np.random.default_rng(7)
    side = draw_lateral(Findings(), sample_anatomy(rng), rng=rng, image_size=96)
    assert pose_of(side).lungs < 0.2


def test_polarity_and_scale_of_grey_values_change_nothing_but_the_sign(film: np.ndarray) -> None:
    assert pose_of(0.3 * film + 0.2).upright == pytest.approx(pose_of(film).upright, abs=1e-4)
    assert pose_of(-film).upright == pytest.approx(-pose_of(film).upright, abs=1e-4)


def test_a_constant_picture_lies_no_way() -> None:
    assert pose_of(np.full((9, 9), 0.4)) == Pose(0, 0, 0, 0, 0, 0)


def test_the_stored_chest_is_the_mean_of_the_drawn_ones() -> None:
    with Image.open(CHEST) as image:
        assert image.mode == "I;16"
        stored = np.asarray(image)
    np.testing.assert_allclose(stored, drawn_chest(), atol=1, rtol=0)


def test_the_template_is_standardised_and_always_the_same() -> None:
    template = chest()
    assert template.shape == (SIDE, SIDE)
    assert np.linalg.norm(template) == pytest.approx(1)
    assert np.array_equal(template, chest.__wrapped__())
    assert standardised(template).mean() == pytest.approx(0)
