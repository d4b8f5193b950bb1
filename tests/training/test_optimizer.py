from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from fedaid.training.optimizer import Stepper
from fedaid.training.settings import TrainingSettings

PLAIN = TrainingSettings(warmup_steps=0, weight_decay=0.0, max_grad_norm=1e9)


def vector(*values: float) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values))


def test_the_first_step_of_adam_is_the_learning_rate_against_the_gradient() -> None:
    weight = vector(1.0, 1.0)
    Stepper([weight], PLAIN, learning_rate=0.1).step((weight * torch.tensor([3.0, -2.0])).sum())
    assert weight.tolist() == pytest.approx([0.9, 1.1], abs=1e-6)


def test_warm_up_grows_the_rate_step_by_step_and_then_holds_it() -> None:
    weight = vector(0.0)
    stepper = Stepper([weight], replace(PLAIN, warmup_steps=3), learning_rate=0.1)
    moves = []
    for _ in range(6):
        before = weight.item()
        stepper.step(weight.sum())
        moves.append(before - weight.item())
    assert moves == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1], rel=1e-4)


def test_the_global_norm_of_the_gradient_is_clipped() -> None:
    first, second = vector(0.0), vector(0.0)
    stepper = Stepper([first, second], replace(PLAIN, max_grad_norm=1.0), learning_rate=0.1)
    stepper.step(30 * first.sum() + 40 * second.sum())
    assert first.grad is not None
    assert second.grad is not None
    assert [first.grad.item(), second.grad.item()] == pytest.approx([0.6, 0.8], rel=1e-4)


def test_decay_shrinks_matrices_only() -> None:
    matrix, bias, scale = nn.Parameter(torch.ones(1, 1)), vector(1.0), nn.Parameter(torch.tensor(1.0))
    stepper = Stepper([matrix, bias, scale], replace(PLAIN, weight_decay=0.5), learning_rate=0.1)
    stepper.step(0.0 * (matrix.sum() + bias.sum() + scale))
    assert [matrix.item(), bias.item(), scale.item()] == pytest.approx([0.95, 1.0, 1.0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_raises_and_changes_nothing(bad: float) -> None:
    weight = vector(1.0, 2.0)
    stepper = Stepper([weight], TrainingSettings(), learning_rate=0.1)
    with pytest.raises(FloatingPointError, match="loss must be finite"):
        stepper.step((weight * bad).sum())
    assert weight.tolist() == [1.0, 2.0]


def test_a_gradient_that_is_not_finite_raises_and_changes_nothing() -> None:
    weight = vector(0.0)
    with pytest.raises(FloatingPointError):
        Stepper([weight], TrainingSettings(), learning_rate=0.1).step(weight.sqrt().sum())
    assert weight.tolist() == [0.0]


def test_a_frozen_parameter_does_not_move() -> None:
    frozen, free = vector(1.0).requires_grad_(False), vector(1.0)
    Stepper([frozen, free], PLAIN, learning_rate=0.1).step((frozen * free).sum())
    assert frozen.item() == 1.0
    assert free.item() != 1.0


def test_in_fp16_a_gradient_that_overflows_costs_one_step_and_no_more() -> None:
    weight = vector(1.0)
    stepper = Stepper([weight], replace(PLAIN, precision="fp16"), learning_rate=0.1)
    stepper.step((weight * torch.tensor([1e36])).sum())  # times the loss scale beyond float32
    assert weight.item() == 1.0
    for _ in range(8):
        stepper.step((weight * torch.tensor([1e36])).sum())
    assert weight.item() < 1.0


def test_in_fp16_a_gradient_that_is_never_finite_is_refused_in_the_end() -> None:
    weight = vector(0.0)
    stepper = Stepper([weight], replace(PLAIN, precision="fp16"), learning_rate=0.1)
    for _ in range(22):  # from 2¹² down to above 2⁻¹⁰, halved each time
        stepper.step(weight.sqrt().sum())
    with pytest.raises(FloatingPointError):
        stepper.step(weight.sqrt().sum())
    assert weight.tolist() == [0.0]


def test_the_same_steps_give_the_same_bits() -> None:
    ends = []
    for _ in range(2):
        weight = nn.Parameter(torch.linspace(-1, 1, 1001).reshape(7, 143))
        stepper = Stepper([weight], TrainingSettings(), learning_rate=0.1)
        for _ in range(5):
            stepper.step((weight.sin() * torch.arange(143.0)).sum())
        ends.append(weight.detach())
    assert torch.equal(*ends)
