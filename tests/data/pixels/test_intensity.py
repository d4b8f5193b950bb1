from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedaid.data.pixels.intensity import percentiles, unit_range
from fedaid.data.unusable import UnusableStudy

pictures = arrays(np.float64, (12, 12), elements=st.floats(-1e6, 1e6, width=32)).filter(lambda grey: np.ptp(grey) > 1.0)


def test_two_grey_levels_become_zero_and_one() -> None:
    grey = np.array([[3.0, 3.0], [7.0, 7.0]])
    assert unit_range(grey).tolist() == [[0.0, 0.0], [1.0, 1.0]]


def test_one_hot_pixel_does_not_squeeze_the_rest() -> None:
    grey = np.tile(np.linspace(0, 100, 100), (100, 1))
    grey[0, 0] = 60000
    assert unit_range(grey)[50, 50] == pytest.approx(0.505, abs=0.01)


def test_pixels_that_do_not_count_are_clipped_and_not_measured() -> None:
    grey = np.array([[-2000.0, 0.0], [50.0, 100.0]])
    unit = unit_range(grey, np.array([[False, True], [True, True]]))
    assert unit[0, 0] == 0.0
    assert unit[1, 0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(fault: float) -> None:
    grey = np.arange(16.0).reshape(4, 4)
    grey[1, 1] = fault
    with pytest.raises(UnusableStudy, match="image-not-finite"):
        unit_range(grey)


@pytest.mark.parametrize("grey", [np.full((5, 5), 7.0), np.zeros((0, 5))])
def test_a_picture_without_content_is_refused(grey: np.ndarray) -> None:
    with pytest.raises(UnusableStudy, match="image-constant"):
        unit_range(grey)


@given(pictures)
def test_the_result_is_float32_within_zero_and_one(grey: np.ndarray) -> None:
    unit = unit_range(grey)
    assert unit.dtype == np.float32
    assert unit.min() >= 0
    assert unit.max() <= 1


@given(pictures)
def test_the_negative_picture_is_one_minus_the_picture(grey: np.ndarray) -> None:
    np.testing.assert_allclose(unit_range(-grey), 1 - unit_range(grey), atol=1e-5)


@given(pictures, st.floats(0.5, 100), st.floats(-100, 100))
def test_scale_and_offset_of_the_values_do_not_matter(grey: np.ndarray, scale: float, offset: float) -> None:
    np.testing.assert_allclose(unit_range(scale * grey + offset), unit_range(grey), atol=1e-4)


def test_the_range_of_a_large_picture_is_measured_on_a_grid_with_the_same_result() -> None:
    grey = np.random.default_rng(0).normal(500.0, 100.0, (1500, 1100))
    low, high = np.percentile(grey, [0.1, 99.9])
    expected = np.clip((grey - low) / (high - low), 0, 1)
    np.testing.assert_allclose(unit_range(grey), expected, atol=0.02)
    counted = np.zeros(grey.shape, dtype=bool)
    counted[:, 500:] = True
    np.testing.assert_allclose(unit_range(grey, counted), expected, atol=0.02)


def test_the_values_that_came_in_are_left_alone() -> None:
    grey = np.arange(16.0).reshape(4, 4)
    unit_range(grey)
    assert grey.tolist() == np.arange(16.0).reshape(4, 4).tolist()


@given(arrays(np.float64, 9, elements=st.floats(-1e3, 1e3)), arrays(np.int64, 9, elements=st.integers(0, 5)))
def test_percentiles_of_counted_values_are_those_of_the_values_repeated(values: np.ndarray, counts: np.ndarray) -> None:
    counts[3] += 1
    wanted = [0.0, 0.1, 33.0, 50.0, 99.9, 100.0]
    expected = np.percentile(np.repeat(values, counts), wanted)
    np.testing.assert_allclose(percentiles(values, counts, wanted), expected, atol=1e-9)
