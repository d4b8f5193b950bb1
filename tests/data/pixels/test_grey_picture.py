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


def shown(stored: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """A falling, bent and cut curve, as of MONOCHROME1 with a window."""
    return -np.clip(np.asarray(stored, dtype=np.float64) * 0.37 + 5, -3000.5, 6000.25)


@given(WHOLE.flatmap(lambda kind: arrays(kind, (9, 7))))
def test_a_level_looked_up_is_what_the_pixel_itself_would_become(stored: np.ndarray) -> None:
    try:
        expected = grey_picture(stored.astype(np.float64), shown)[:]
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

    def count(stored: np.ndarray, counts: np.ndarray) -> np.ndarray:
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
    unit = grey_picture(stored, padding=lambda at: np.equal(at, -2000))[:]
    assert unit[0, 0] == 0.0
    assert unit[1, 0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", [np.int16, np.float64])
def test_padding_is_background_where_high_numbers_are_dark(kind: Any) -> None:
    stored = np.array([[-2000, 0], [50, 100]], dtype=kind)
    unit = grey_picture(stored, lambda at, counts: -1.0 * at, padding=lambda at: np.equal(at, -2000))[:]
    assert unit.round(1).tolist() == [[0, 1], [0.5, 0]]


@pytest.mark.parametrize("kind", [np.int16, np.float64])
def test_a_padding_that_covers_nearly_everything_is_ignored(kind: Any) -> None:
    stored = np.arange(63).reshape(9, 7).astype(kind)
    assert np.array_equal(grey_picture(stored, padding=lambda at: at < 62)[:], grey_picture(stored)[:])


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
def test_a_border_of_one_grey_takes_no_part_in_the_range(kind: Any) -> None:
    content = np.linspace(1000, 2000, 400).reshape(20, 20).astype(kind)
    framed = np.pad(content, ((0, 0), (5, 0)), constant_values=0)
    unit = grey_picture(framed)[:]
    assert (unit[:, :5] == 0).all()
    np.testing.assert_allclose(unit[:, 5:], grey_picture(content)[:], atol=1e-6)


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
        grey_picture(np.arange(63).reshape(9, 7).astype(kind), lambda at, counts: np.where(at > 3, np.inf, at))
