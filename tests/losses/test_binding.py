from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fedaid.losses.binding import binding_loss, divergence, similarity_binding_loss


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


def matching(student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], scale: float = 5.0) -> float:
    return similarity_binding_loss(*student, *teacher, logit_scale=torch.tensor(scale)).item()


def test_equal_matchings_have_no_divergence() -> None:
    pair = unit(4, 8), unit(4, 8, 1)
    assert matching(pair, pair) == 0


def test_a_rotated_space_matches_as_before_though_its_points_have_moved() -> None:
    image, text = unit(4, 8).double(), unit(4, 8, 1).double()
    turn = torch.linalg.qr(unit(8, 8, 2).double()).Q
    assert matching((image @ turn, text @ turn), (image, text)) == pytest.approx(0, abs=1e-12)
    assert binding_loss(image @ turn, text @ turn, image, text) > 0.1


def test_the_divergence_of_two_texts_is_that_worked_by_hand() -> None:
    """The teacher prefers each own text by log 3 (3/4 to 1/4), the student none: KL = ¾ log 3/2 + ¼ log 1/2."""
    axes, flat = torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert matching((flat, flat), (axes, axes), scale=math.log(3)) == pytest.approx(expected, rel=1e-6)


def test_the_divergence_is_not_symmetric_and_looks_from_the_teacher() -> None:
    sure, unsure = torch.tensor([[math.log(9), 0.0]]), torch.tensor([[0.0, 0.0]])
    assert divergence(unsure, sure).item() == pytest.approx(0.9 * math.log(1.8) + 0.1 * math.log(0.2), rel=1e-5)
    assert divergence(sure, unsure).item() == pytest.approx(0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(5), rel=1e-5)


def test_images_and_texts_may_change_places_in_a_matching() -> None:
    student, teacher = (unit(4, 8), unit(4, 8, 1)), (unit(4, 8, 2), unit(4, 8, 3))
    assert matching(student, teacher) == pytest.approx(matching(student[::-1], teacher[::-1]), rel=1e-6)
    assert matching(student, teacher) > 0


def test_a_step_down_the_gradient_brings_the_matching_nearer() -> None:
    image, text, teacher = unit(4, 8).requires_grad_(), unit(4, 8, 1), (unit(4, 8, 2), unit(4, 8, 3))
    loss = similarity_binding_loss(image, text, *teacher, logit_scale=torch.tensor(5.0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert image.grad is not None
    nearer = functional.normalize((image - 0.01 * image.grad).detach(), dim=1)
    assert matching((nearer, text), teacher) < loss.item()


def test_matchings_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="must have one shape"):
        matching((unit(4, 8), unit(4, 8)), (unit(4, 8), unit(3, 8)))
