from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from fedaid.losses.drift import model_contrastive_loss

EAST, NORTH, WEST = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[-1.0, 0.0]])


def loss(embeddings: Tensor, start: Tensor, previous: Tensor, temperature: float = 0.5) -> float:
    return model_contrastive_loss(embeddings, start, previous, temperature=temperature).item()


def test_two_models_that_embed_alike_give_log_two() -> None:
    assert loss(EAST, NORTH, NORTH) == pytest.approx(math.log(2))


def test_the_loss_of_a_right_angle_is_that_worked_by_hand() -> None:
    """Similarity 1 to the start and 0 to the previous one, τ = ½: −log(e² / (e² + e⁰))."""
    assert loss(EAST, EAST, NORTH) == pytest.approx(-math.log(math.e**2 / (math.e**2 + 1)))
    assert loss(EAST, NORTH, EAST) == pytest.approx(-math.log(1 / (1 + math.e**2)))


def test_a_batch_counts_by_its_mean() -> None:
    batch = [torch.cat(two) for two in ((EAST, EAST), (EAST, NORTH), (NORTH, EAST))]
    assert loss(*batch) == pytest.approx((loss(EAST, EAST, NORTH) + loss(EAST, NORTH, EAST)) / 2)


def test_a_higher_temperature_is_milder() -> None:
    assert loss(EAST, WEST, EAST, 0.1) > loss(EAST, WEST, EAST, 1.0) > math.log(2)


def test_the_gradient_leads_to_the_start_and_away_from_the_previous_model() -> None:
    embeddings = torch.tensor([[math.sqrt(0.5), math.sqrt(0.5)]], requires_grad=True)
    model_contrastive_loss(embeddings, EAST, NORTH, temperature=0.5).backward()  # type: ignore[no-untyped-call]
    assert embeddings.grad is not None
    torch.testing.assert_close(embeddings.grad, torch.tensor([[-1.0, 1.0]]))  # ½ / τ times (previous − start)


def test_a_very_low_temperature_does_not_overflow() -> None:
    assert loss(EAST, WEST, EAST, 1e-3) == pytest.approx(2000)
