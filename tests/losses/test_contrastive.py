from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fedaid.losses.contrastive import duplicates, info_nce_loss, similarity

ONE = torch.tensor(1.0)


def at_angles(*degrees: float) -> Tensor:
    """Unit vectors of the plane, shape (B, 2), float64."""
    radians = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    return torch.stack([radians.cos(), radians.sin()], dim=1)


def random_unit(batch: int, dim: int, seed: int) -> Tensor:
    return functional.normalize(torch.randn(batch, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_similarity_is_the_cosine_of_the_angle() -> None:
    found = similarity(at_angles(0, 90), at_angles(0, 60, 180))
    torch.testing.assert_close(found, torch.tensor([[1, 0.5, -1], [0, math.sqrt(0.75), 0]], dtype=torch.float64))


def test_two_pairs_at_right_angles_have_a_loss_worked_by_hand() -> None:
    scale = 2.0  # logits are the scale times the identity
    loss = info_nce_loss(at_angles(0, 90), at_angles(0, 90), torch.tensor(scale))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-scale)))


def test_both_directions_are_averaged() -> None:
    # images at 0 and 90, texts at 0 and 60 degrees: logits [[1, cos 60], [cos 90, cos 30]]
    rows = math.log(1 + math.exp(0.5 - 1)) + math.log(1 + math.exp(0 - math.sqrt(0.75)))
    columns = math.log(1 + math.exp(0 - 1)) + math.log(1 + math.exp(0.5 - math.sqrt(0.75)))
    loss = info_nce_loss(at_angles(0, 90), at_angles(0, 60), ONE)
    assert loss.item() == pytest.approx((rows / 2 + columns / 2) / 2)


@pytest.mark.parametrize("batch", [2, 7, 32])
def test_identical_embeddings_give_log_b(batch: int) -> None:
    same = random_unit(1, 8, 0).expand(batch, 8)
    assert info_nce_loss(same, same, torch.tensor(14.0)).item() == pytest.approx(math.log(batch), abs=1e-5)


def test_images_and_texts_can_change_places() -> None:
    image, text = random_unit(6, 8, 0), random_unit(6, 8, 1)
    there, back = info_nce_loss(image, text, ONE), info_nce_loss(text, image, ONE)
    torch.testing.assert_close(there, back)


def test_the_order_of_the_pairs_does_not_matter() -> None:
    image, text, order = random_unit(6, 8, 0), random_unit(6, 8, 1), torch.tensor([3, 1, 0, 5, 4, 2])
    torch.testing.assert_close(info_nce_loss(image[order], text[order], ONE), info_nce_loss(image, text, ONE))


def test_wrong_pairs_cost_more_than_right_ones() -> None:
    image, scale = random_unit(6, 8, 0), torch.tensor(10.0)
    assert info_nce_loss(image, image.roll(1, 0), scale) > info_nce_loss(image, image, scale)


def test_the_gradient_reaches_the_scale() -> None:
    scale = torch.tensor(2.0, requires_grad=True)
    info_nce_loss(random_unit(4, 8, 0), random_unit(4, 8, 1), scale).backward()
    assert scale.grad is not None
    assert scale.grad != 0


def test_one_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="B at least 2"):
        info_nce_loss(random_unit(1, 8, 0), random_unit(1, 8, 1), ONE)


def test_unequal_numbers_of_images_and_texts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 8\) and \(2, 8\)"):
        info_nce_loss(random_unit(3, 8, 0), random_unit(2, 8, 1), ONE)


def test_two_studies_with_one_text_are_no_negatives_of_each_other() -> None:
    image, text = at_angles(0, 90, 180), at_angles(0, 0, 180)
    groups = torch.tensor([7, 7, 2])
    # Similarities: rows (1, 1, -1), (0, 0, 0), (-1, -1, 1); pairs (0, 1) and (1, 0) are left out.
    to_text = [math.log(1 + math.exp(-2)), math.log(2), math.log(1 + 2 * math.exp(-2))]
    to_image = [math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1)), math.log(1 + math.exp(-2) + math.exp(-1))]
    loss = info_nce_loss(image, text, ONE, groups)
    both = [(there + back) / 2 for there, back in zip(to_text, to_image, strict=True)]
    scale = math.log(3) / math.log(2)  # two candidates are left to the first two rows
    assert loss.item() == pytest.approx((scale * both[0] + scale * both[1] + both[2]) / 3, abs=1e-6)


@pytest.mark.parametrize("normals", [1, 4, 10, 15])
def test_unrelated_embeddings_give_about_log_b_however_many_studies_share_a_text(normals: int) -> None:
    groups = torch.arange(16).clamp(min=normals - 1)
    image, text = (random_unit(16, 4096, seed) for seed in (0, 1))
    assert info_nce_loss(image, text, ONE, groups).item() == pytest.approx(math.log(16), abs=0.02)


def test_different_texts_give_the_loss_without_groups() -> None:
    image, text = random_unit(6, 8, 0), random_unit(6, 8, 1)
    torch.testing.assert_close(info_nce_loss(image, text, ONE, torch.arange(6)), info_nce_loss(image, text, ONE))


def test_a_batch_of_one_text_teaches_nothing() -> None:
    image = random_unit(4, 8, 0).requires_grad_()
    loss = info_nce_loss(image, random_unit(4, 8, 1), ONE, torch.zeros(4, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0
    assert image.grad is not None
    assert torch.equal(image.grad, torch.zeros_like(image))


def test_duplicates_are_pairs_of_two_studies_never_a_study_with_itself() -> None:
    assert duplicates(torch.tensor([1, 2, 1])).tolist() == [[False, False, True], [False] * 3, [True, False, False]]
