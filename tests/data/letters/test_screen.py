from __future__ import annotations

import numpy as np
import pytest

from fedaid.data.letters.screen import COLUMNS, ROWS, SIDE, Sensitivity, dense, places, shrunk
from tests.data.letters.conftest import Film

SENSITIVITY = Sensitivity(contrast=20, strokes=6.0)


def comb(bright: int, *, ground: int = 0) -> np.ndarray:
    """A picture (60, 120) with strokes two pixels wide, four apart, in ten rows and forty-eight columns."""
    grey = np.full((60, 120), ground, dtype=np.uint8)
    for column in range(30, 78, 4):
        grey[20:30, column : column + 2] = bright
    return grey


@pytest.mark.parametrize(("ground", "bright"), [(0, 255), (255, 0), (100, 125)])
def test_strokes_side_by_side_are_dense_whether_bright_or_dark(ground: int, bright: int) -> None:
    found = dense(comb(bright, ground=ground), SENSITIVITY)
    assert found[25, 54] == 1
    assert not found[:10].any()


def test_strokes_of_less_contrast_do_not_count() -> None:
    assert not dense(comb(119, ground=100), SENSITIVITY).any()


def test_the_number_of_strokes_in_a_window_decides() -> None:
    ten = dense(comb(255), Sensitivity(20, COLUMNS / 4))
    assert ten.any()
    assert not dense(comb(255), Sensitivity(20, COLUMNS / 4 + 0.5)).any()


def test_a_few_rows_are_needed() -> None:
    thin = comb(255)
    thin[20 : 30 - ROWS + 1] = 0
    assert not dense(thin, Sensitivity(20, COLUMNS / 4)).any()


@pytest.mark.parametrize(
    ("longest", "side"), [(SIDE, SIDE), (1049, 1049), (1400, 700), (2000, 666), (3000, 750), (4400, 733)]
)
def test_a_picture_is_searched_at_a_whole_part_of_its_size(longest: int, side: int) -> None:
    assert max(shrunk(np.zeros((longest, 300), dtype=np.uint8)).shape) == side


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_place_covers_the_line_in_pixels_of_the_full_picture(turns: int, film: Film) -> None:
    grey = np.rint(255 * np.kron(film("PELLOWICK UNA", top=100, left=200), np.ones((3, 3)))).astype(np.uint8)
    (place,) = (one for one in places(np.rot90(grey, turns).copy(), SENSITIVITY) if one.area > 3000)
    row, column = np.argwhere(np.rot90(np.pad([[1.0]], ((330, 1536 - 331), (900, 1536 - 901))), turns) == 1)[0]
    assert place.top <= row < place.bottom
    assert place.left <= column < place.right


def test_a_chest_without_letters_has_no_place(film: Film) -> None:
    assert places(np.rint(255 * film()).astype(np.uint8), SENSITIVITY) == []
