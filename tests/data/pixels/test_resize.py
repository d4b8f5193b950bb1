from __future__ import annotations

import numpy as np
import pytest
from monai.transforms import Compose, Resize, ResizeWithPadOrCrop

from fedaid.data.pixels.resize import axis_weights, fit_square, gaussian


def with_monai(picture: np.ndarray, size: int) -> np.ndarray:
    resize = Resize(size, size_mode="longest", mode="bilinear", anti_aliasing=True)
    return np.asarray(Compose([resize, ResizeWithPadOrCrop((size, size))])(picture[None]))[0]


@pytest.mark.parametrize("shape", [(300, 211), (97, 256), (64, 64), (30, 41), (65, 63), (1000, 126), (7, 5), (1, 3)])
def test_the_numbers_are_those_of_monai(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).random(shape, dtype=np.float32)
    np.testing.assert_allclose(fit_square(picture, 64), with_monai(picture, 64), atol=1e-5)


def test_the_result_is_a_float32_square_in_the_unit_range() -> None:
    square = fit_square(np.ones((50, 31), dtype=np.float32), 16)
    assert (square.shape, square.dtype) == ((16, 16), np.float32)
    assert 0 <= square.min() < square.max() <= 1


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    picture = np.random.default_rng(0).random((16, 16), dtype=np.float32)
    assert np.array_equal(fit_square(picture, 16), picture)


def test_an_output_pixel_weighs_inputs_by_one_away_from_the_borders() -> None:
    np.testing.assert_allclose(axis_weights(640, 64)[10:-10].sum(axis=1), 1, atol=1e-3)


def test_a_kernel_is_symmetric_and_sums_to_one() -> None:
    kernel = gaussian(3.5)
    assert len(kernel) % 2 == 1
    np.testing.assert_allclose(kernel, kernel[::-1])
    assert kernel.sum() == pytest.approx(1, abs=1e-3)
    assert gaussian(0).tolist() == [1.0]


def test_each_row_of_a_picture_is_asked_for_once_and_a_few_at_a_time() -> None:
    asked: list[int] = []

    class Rows:
        shape = (1600, 1000)

        def __getitem__(self, rows: slice) -> np.ndarray:
            asked.extend(range(1600)[rows])
            assert len(range(1600)[rows]) < 1600 / 8
            return np.ones((len(range(1600)[rows]), 1000), dtype=np.float32)

    fit_square(Rows(), 160)
    assert asked == list(range(1600))
