from __future__ import annotations

import numpy as np
import pytest

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.drawing.scene import Plane
from admin.twin.findings import Finding, Findings


def drawn(findings: Findings = Findings(), *, seed: int = 0, size: int = 96) -> Plane:  # noqa: B008
    rng = np.random.default_rng(seed)
    return draw_lateral(findings, sample_anatomy(rng), rng=rng, image_size=size)


@pytest.mark.parametrize("size", [48, 128])
def test_a_lateral_is_square_float32_from_zero_to_one(size: int) -> None:
    image = drawn(size=size)
    assert image.shape == (size, size)
    assert image.dtype == np.float32
    assert 0.0 <= image.min() < 0.1 < 0.7 < image.max() <= 1.0


@pytest.mark.parametrize("seed", range(6))
def test_the_spine_is_behind_and_the_lung_dark_before_it(seed: int) -> None:
    image = drawn(seed=seed)
    rows = image[25:60]
    lung, spine = rows[:, 58:61].mean(), rows[:, 66:72].mean()
    assert lung < spine - 0.05


def test_it_is_not_symmetric_as_a_frontal_view_is() -> None:
    rng = np.random.default_rng(0)
    frontal = draw_radiograph(Findings(), sample_anatomy(rng), rng=rng, image_size=96)
    asymmetry = [np.abs(image - image[:, ::-1]).mean() for image in (drawn(), frontal)]
    assert asymmetry[0] > 1.25 * asymmetry[1]


def test_a_large_heart_shows_and_a_nodule_does_not() -> None:
    heart = Findings((Finding("cardiomegaly", extent="marked"),))
    nodule = Findings((Finding("nodule", "left", "upper", "large"),))
    assert np.count_nonzero(np.abs(drawn(heart) - drawn()) > 0.15) > 100
    assert np.array_equal(drawn(nodule), drawn())
