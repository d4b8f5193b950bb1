from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fedaid.losses.binding import binding_loss


def unit(batch: int, dim: int, seed: int = 0) -> Tensor:
    return functional.normalize(torch.randn(batch, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_equal_embeddings_have_no_loss() -> None:
    image, text = unit(4, 8), unit(4, 8, 1)
    assert binding_loss(image, text, image, text) == 0


def test_opposite_embeddings_have_the_largest_loss() -> None:
    image, text = unit(4, 8), unit(4, 8, 1)
    assert binding_loss(image, text, -image, -text).item() == pytest.approx(8)


def test_right_angles_in_the_images_of_half_the_batch_give_one() -> None:
    east, north = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    image, teacher, text = torch.stack([east, east]), torch.stack([east, north]), torch.stack([north, north])
    assert binding_loss(image, text, teacher, text).item() == pytest.approx((0 + 2) / 2)


def test_image_and_text_count_alike() -> None:
    a, b, same = unit(4, 8), unit(4, 8, 1), unit(4, 8, 2)
    assert binding_loss(a, same, b, same) == binding_loss(same, a, same, b)


@pytest.mark.parametrize("dim", [2, 128])
def test_the_same_angle_has_the_same_loss_in_any_dimension(dim: int) -> None:
    student, teacher, text = torch.eye(dim)[:1], torch.eye(dim)[1:2], unit(1, dim)
    assert binding_loss(student, text, teacher, text).item() == pytest.approx(2)


def test_repeating_the_batch_does_not_change_the_loss() -> None:
    four = [unit(3, 8, seed) for seed in range(4)]
    repeated = [torch.cat([embeddings, embeddings]) for embeddings in four]
    assert binding_loss(*repeated).item() == pytest.approx(binding_loss(*four).item())


def test_embeddings_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="must have one shape"):
        binding_loss(unit(4, 8), unit(4, 8), unit(1, 8), unit(4, 8))
