from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.data.pixels.seams import without_seam
from fedaid.data.pixels.stored_pixels import StoredPixels
from tests.field.export import chest

Pixels = NDArray[np.generic]


def numbers(bits: int = 12) -> NDArray[np.int64]:
    return np.round(chest(3) * (2**bits - 1)).astype(np.int64)


def read(cells: Pixels, bits: int, *, signed: bool = False) -> NDArray[np.generic]:
    stated = StoredPixels(cells, bits, 0, signed, None)
    return without_seam(stated, bits).numbers(cells)


@pytest.mark.parametrize(
    ("cells", "bits", "signed", "expected"),
    [
        (numbers().astype("<u2"), 12, True, numbers()),
        ((numbers() - 2048 & 0xFFF).astype("<u2"), 12, False, numbers() - 2048),
        ((16 * (numbers() - 2048)).astype("<i2").view("<u2"), 16, False, 16 * (numbers() - 2048)),
        (numbers().astype("<u2"), 10, False, numbers()),
        (numbers().astype("<u2"), 8, False, numbers()),
        (numbers(8).astype("u1"), 8, True, numbers(8)),
    ],
)
def test_a_wrong_sign_and_too_few_bits_are_mended(
    cells: Pixels, bits: int, signed: bool, expected: NDArray[np.int64]
) -> None:
    assert np.array_equal(read(cells, bits, signed=signed), expected)


def with_letters(seed: int | None) -> Pixels:
    """A dark film with small letters, white or of many levels."""
    cells = numbers() // 12
    cells[5:25:2, 5:60:2] = 4095 if seed is None else np.random.default_rng(seed).integers(3900, 4096, (10, 28))
    return cells.astype("<u2")


@pytest.mark.parametrize(
    "cells",
    [
        *[numbers().astype("<u2"), (4095 - numbers()).astype("<u2"), with_letters(None), with_letters(1)],
        *[np.random.default_rng(2).integers(0, 4096, (96, 80)).astype("<u2"), np.zeros((9, 1), "<u2")],
    ],
)
def test_films_letters_and_noise_stay_as_stated(cells: Pixels) -> None:
    stated = StoredPixels(cells, 12, 0, False, None)
    assert without_seam(stated, 12) is stated


def test_bits_beside_the_number_stay_out() -> None:
    cells = (numbers() | np.random.default_rng(4).integers(0, 4, (96, 80)) << 14).astype("<u2")
    assert np.array_equal(read(cells, 12), numbers())
