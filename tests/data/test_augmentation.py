from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.data import augmentation
from fedaid.data.augmentation import augment, placements, resampled, to_model_range

SEEDS = list(range(50))


@pytest.fixture
def image() -> Tensor:
    """(1, 32, 32) in [0, 1] with content."""
    return torch.from_numpy(np.random.default_rng(0).random((1, 32, 32), dtype=np.float32))


def test_the_model_range_is_minus_one_to_one() -> None:
    levels = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4)
    assert torch.allclose(to_model_range(levels), 2 * levels - 1)


def test_augmentation_follows_from_the_seed_alone(image: Tensor) -> None:
    batch = image.expand(50, -1, -1, -1)
    first, again = augment(batch, SEEDS), augment(batch.flip(0), SEEDS[::-1]).flip(0)
    torch.testing.assert_close(first, again, atol=1e-6, rtol=0)
    assert len(first.flatten(1).unique(dim=0)) > 40


def test_a_batch_gives_each_picture_what_it_gets_alone(image: Tensor) -> None:
    batch = torch.stack([image, image.flip(2), image.flip(1)])
    together = augment(batch, [3, 4, 5])
    for row, seed in enumerate((3, 4, 5)):
        torch.testing.assert_close(augment(batch[row : row + 1], [seed])[0], together[row], atol=1e-6, rtol=0)


def test_augmentation_ignores_other_random_states(image: Tensor) -> None:
    first = augment(image[None], [1])
    torch.manual_seed(5)
    np.random.seed(5)
    assert torch.equal(augment(image[None], [1]), first)


def test_augmentation_leaves_its_input_alone(image: Tensor) -> None:
    batch = image.repeat(50, 1, 1, 1)
    augment(batch, SEEDS)
    assert torch.equal(batch, image.expand(50, -1, -1, -1))


def test_augmentation_never_mirrors() -> None:
    bright_left = torch.zeros(50, 1, 32, 32)
    bright_left[..., :12] = 1.0
    out = augment(bright_left, SEEDS)
    assert (out[..., :10].mean(dim=(1, 2, 3)) > out[..., 22:].mean(dim=(1, 2, 3))).all()


def test_augmented_pictures_are_finite_and_near_the_model_range(image: Tensor) -> None:
    out = augment(image.expand(50, -1, -1, -1), SEEDS)
    assert (out.shape, out.dtype) == ((50, 1, 32, 32), torch.float32)
    assert -1.5 < out.min() < out.max() < 1.5


def test_no_move_reads_every_pixel_where_it_was(image: Tensor) -> None:
    still = resampled(image[None], placements(np.zeros((1, 3))))
    torch.testing.assert_close(still[0], image, atol=1e-5, rtol=0)


def test_pictures_are_resampled_to_the_bit_as_by_monai(image: Tensor) -> None:
    from monai.networks.layers import AffineTransform

    layer = AffineTransform(normalized=True, align_corners=False, reverse_indexing=False, padding_mode="zeros")
    maps = placements(np.random.default_rng(1).uniform(-1, 1, (20, 3)))
    images = image.expand(20, -1, -1, -1)
    assert torch.equal(resampled(images, maps), layer(images, maps))


def test_the_largest_zoom_is_its_share_of_the_size() -> None:
    line = torch.zeros(1, 1, 101, 101)
    line[..., 90] = 1.0  # 40 pixels to the right of the centre
    zoomed = resampled(line, placements(np.array([[0, -1.0, 0]])))
    assert zoomed[0, 0, 50].argmax() == 50 + round(40 / (1 - augmentation.ZOOM))


def test_a_turn_moves_a_far_point_by_its_angle() -> None:
    point = torch.zeros(1, 1, 101, 101)
    point[0, 0, 50, 90] = 1.0  # 40 pixels to the right of the centre
    turned = resampled(point, placements(np.array([[1.0, 0, 0]])))[0, 0]
    down, across = divmod(int(turned.argmax()), 101)
    assert np.arctan2(abs(down - 50), across - 50) == pytest.approx(augmentation.TURN, abs=0.02)


def test_an_untouched_share_of_the_pictures_is_only_brought_to_the_model_range(image: Tensor) -> None:
    out = augment(image.expand(400, -1, -1, -1), range(400))
    share = sum(torch.equal(one, to_model_range(image)) for one in out) / 400
    assert share == pytest.approx(0.2 * 0.5 * 0.7, abs=0.04)
