from __future__ import annotations

import pytest
import torch

from fedaid.losses.drift import proximal_loss


def test_it_is_half_the_squared_distance_of_all_weights_together() -> None:
    weights = [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])]
    start = [torch.tensor([0.0, 0.0]), torch.tensor([[5.0]])]
    assert proximal_loss(weights, start).item() == pytest.approx((1 + 4 + 4) / 2)


def test_its_gradient_is_how_far_the_weights_have_moved() -> None:
    start = [torch.tensor([1.0, -2.0]), torch.tensor(4.0)]
    weights = [torch.tensor([1.5, 1.0], requires_grad=True), torch.tensor(1.0, requires_grad=True)]
    (0.1 * proximal_loss(weights, start)).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(weights[0].grad, torch.tensor([0.05, 0.3]))
    torch.testing.assert_close(weights[1].grad, torch.tensor(-0.3))


def test_weights_at_their_start_cost_nothing_and_are_not_pulled() -> None:
    start = torch.tensor([1.0, 2.0])
    weight = start.clone().requires_grad_()
    loss = proximal_loss([weight], [start])
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert torch.equal(weight.grad, torch.zeros(2))  # type: ignore[arg-type]


def test_a_weight_without_its_start_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        proximal_loss([torch.ones(1), torch.ones(1)], [torch.ones(1)])
