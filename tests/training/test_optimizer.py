from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from fedaid.training.settings import TrainingSettings
from fedaid.training.trainer import Optimizer

PLAIN = TrainingSettings(warmup_steps=0, weight_decay=0.0, max_grad_norm=1e9)


def descend(optimizer: Optimizer, loss: Tensor) -> None:
    optimizer.backward(loss)
    optimizer.step()


def vector(*values: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values))


def test_the_first_step_of_adam_is_the_learning_rate_against_the_gradient() -> None:
    weight = vector(1.0, 1.0)
    descend(Optimizer([weight], PLAIN, learning_rate=0.1), (weight * torch.tensor([3.0, -2.0])).sum())
    assert weight.tolist() == pytest.approx([0.9, 1.1], abs=1e-6)


def test_warm_up_grows_the_rate_step_by_step_and_then_holds_it() -> None:
    weight = vector(0.0)
    optimizer = Optimizer([weight], replace(PLAIN, warmup_steps=3), learning_rate=0.1)
    moves = []
    for _ in range(6):
        before = weight.item()
        descend(optimizer, weight.sum())
        moves.append(before - weight.item())
    assert moves == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rel=1e-4)


def test_the_global_norm_of_the_gradient_is_clipped() -> None:
    first, second = vector(0.0), vector(0.0)
    optimizer = Optimizer([first, second], replace(PLAIN, max_grad_norm=1.0), learning_rate=0.1)
    descend(optimizer, 30 * first.sum() + 40 * second.sum())
    assert first.grad is not None
    assert second.grad is not None
    assert [first.grad.item(), second.grad.item()] == pytest.approx([0.6, 0.8], rel=1e-4)


def test_decay_shrinks_matrices_only() -> None:
    matrix, bias, scale = nn.Parameter(torch.ones(1, 1)), vector(1.0), nn.Parameter(torch.tensor(1.0))
    optimizer = Optimizer([matrix, bias, scale], replace(PLAIN, weight_decay=0.5), learning_rate=0.1)
    descend(optimizer, 0.0 * (matrix.sum() + bias.sum() + scale))
    assert [matrix.item(), bias.item(), scale.item()] == pytest.approx([0.95, 1.0, 1.0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_raises_and_changes_nothing(bad: float) -> None:
    weight = vector(1.0, 2.0)
    optimizer = Optimizer([weight], TrainingSettings(), learning_rate=0.1)
    with pytest.raises(FloatingPointError, match="loss must be finite"):
        descend(optimizer, (weight * bad).sum())
    assert weight.tolist() == [1.0, 2.0]


def test_a_gradient_that_is_not_finite_raises_and_changes_nothing() -> None:
    weight = vector(0.0)
    with pytest.raises(FloatingPointError):
        descend(Optimizer([weight], TrainingSettings(), learning_rate=0.1), weight.sqrt().sum())
    assert weight.tolist() == [0.0]


def test_a_frozen_parameter_does_not_move() -> None:
    frozen, free = vector(1.0).requires_grad_(False), vector(1.0)
    descend(Optimizer([frozen, free], PLAIN, learning_rate=0.1), (frozen * free).sum())
    assert frozen.item() == 1.0
    assert free.item() != 1.0


def test_in_fp16_a_gradient_that_overflows_costs_one_step_and_no_more() -> None:
    weight = vector(1.0)
    optimizer = Optimizer([weight], replace(PLAIN, precision="fp16"), learning_rate=0.1)
    descend(optimizer, (weight * torch.tensor([1e36])).sum())  # times the loss scale beyond float32
    assert weight.item() == 1.0
    for _ in range(8):
        descend(optimizer, (weight * torch.tensor([1e36])).sum())
    assert weight.item() < 1.0


def test_in_fp16_a_gradient_that_is_never_finite_is_refused_in_the_end() -> None:
    weight = vector(0.0)
    optimizer = Optimizer([weight], replace(PLAIN, precision="fp16"), learning_rate=0.1)
    for _ in range(22):  # from 2¹² down to above 2⁻¹⁰, halved each time
        descend(optimizer, weight.sqrt().sum())
    with pytest.raises(FloatingPointError):
        descend(optimizer, weight.sqrt().sum())
    assert weight.tolist() == [0.0]


def test_the_same_steps_give_the_same_bits() -> None:
    ends = []
    for _ in range(2):
        weight = nn.Parameter(torch.linspace(-1, 1, 1001).reshape(7, 143))
        optimizer = Optimizer([weight], TrainingSettings(), learning_rate=0.1)
        for _ in range(5):
            descend(optimizer, (weight.sin() * torch.arange(143.0)).sum())
        ends.append(weight.detach())
    assert torch.equal(*ends)
