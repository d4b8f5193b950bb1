from __future__ import annotations

import numpy as np
import pytest

from admin.twin.drawing.anatomy import sample_anatomy
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.drawing.scene import Plane
from admin.twin.findings import Finding, Findings

NODULE = Findings((Finding("nodule", "left", "upper", "large"),))


def drawn(findings: Findings, *, size: int = 64, conspicuity: float = 1.0) -> Plane:
    rng = np.random.default_rng(0)
    return draw_radiograph(findings, sample_anatomy(rng), rng=rng, image_size=size, conspicuity=conspicuity)


@pytest.mark.parametrize("size", [48, 128, 256])
def test_a_radiograph_is_square_float32_from_zero_to_one(size: int) -> None:
    image = drawn(NODULE, size=size)
    assert image.shape == (size, size)
    assert image.dtype == np.float32
    assert 0.0 <= image.min() < 0.1 < 0.85 < image.max() <= 1.0


def test_the_same_source_of_chance_gives_the_same_picture() -> None:
    assert np.array_equal(drawn(NODULE), drawn(NODULE))


def test_lower_conspicuity_makes_a_finding_fainter() -> None:
    normal = drawn(Findings())
    strong, weak = (np.abs(drawn(NODULE, conspicuity=value) - normal).sum() for value in (1.0, 0.5))
    assert weak < 0.7 * strong


def test_a_finding_that_alters_the_shape_changes_the_picture() -> None:
    large = drawn(Findings((Finding("cardiomegaly", extent="marked"),)))
    assert np.count_nonzero(np.abs(large - drawn(Findings())) > 0.15) > 100
