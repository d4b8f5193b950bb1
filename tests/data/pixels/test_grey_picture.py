from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedaid.data.pixels.grey_picture import GreyPicture, grey_picture
from fedaid.data.pixels.intensity import unit_range
from fedaid.data.unusable import UnusableStudy

WHOLE = st.sampled_from([np.uint8, np.int8, np.uint16, np.int16])


def shown(stored: np.ndarray) -> np.ndarray:
    """A falling, bent and cut curve, as of MONOCHROME1 with a window."""
    return -np.clip(np.asarray(stored, dtype=np.float64) * 0.37 + 5, -3000.5, 6000.25)


@given(WHOLE.flatmap(lambda kind: arrays(kind, (9, 7))))
def test_a_level_looked_up_is_what_the_pixel_itself_would_become(stored: np.ndarray) -> None:
    try:
        expected = unit_range(shown(stored))
    except UnusableStudy:
        with pytest.raises(UnusableStudy, match="image-constant"):
            grey_picture(stored, shown)
        return
    picture = grey_picture(stored, shown)
    assert isinstance(picture, GreyPicture)
    assert np.array_equal(picture[:], expected)
    assert np.array_equal(picture[2:5], expected[2:5])


def test_each_level_is_worked_out_once() -> None:
    sizes: list[int] = []

    def count(stored: np.ndarray) -> np.ndarray:
        sizes.append(stored.size)
        return shown(stored)

    grey_picture(np.tile(np.arange(100, 300, dtype=np.uint16), (500, 1)), count)
    assert sizes == [200]


@pytest.mark.parametrize("kind", [np.int32, np.uint32, np.float32, np.float64])
def test_numbers_of_more_than_16_bits_pass_pixel_by_pixel(kind: Any) -> None:
    stored = np.arange(63).reshape(9, 7).astype(kind) * 100000
    assert np.array_equal(grey_picture(stored, shown)[:], unit_range(shown(stored)))


@pytest.mark.parametrize("kind", [np.int16, np.float64])
def test_padding_takes_no_part_in_the_range(kind: Any) -> None:
    stored = np.array([[-2000, 0], [50, 100]], dtype=kind)
    unit = grey_picture(stored, counted=lambda at: np.not_equal(at, -2000))[:]
    assert unit[0, 0] == 0.0
    assert unit[1, 0] == pytest.approx(0.5, abs=0.01)


def test_a_row_that_runs_backwards_in_memory_is_read_as_it_is_seen() -> None:
    stored = np.arange(63, dtype=np.uint16).reshape(9, 7)[:, ::-1]
    assert np.array_equal(grey_picture(stored)[:], unit_range(stored.astype(np.float64)))


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
def test_a_picture_without_content_is_refused(kind: Any) -> None:
    with pytest.raises(UnusableStudy, match="image-constant"):
        grey_picture(np.full((5, 5), 7, dtype=kind))


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
def test_a_level_that_is_shown_as_no_number_is_refused(kind: Any) -> None:
    with pytest.raises(UnusableStudy, match="image-not-finite"):
        grey_picture(np.arange(63).reshape(9, 7).astype(kind), lambda stored: np.where(stored > 3, np.inf, stored))
