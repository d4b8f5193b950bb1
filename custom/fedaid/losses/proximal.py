"""The proximal term: how far the weights have moved."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def proximal_loss(weights: Iterable[Tensor], start: Iterable[Tensor]) -> Tensor:
    """½ ‖θ − θ₀‖², over all weights together; its gradient is θ − θ₀.

    Args:
        weights: θ, at least one tensor, of any shape.
        start: θ₀, the same shapes in the same order, detached.

    Returns:
        Scalar, at least 0.

    Source: equation 2 of FedProx, arXiv:1812.06127, without its μ.
    """
    squares = [(now - before).square().sum() for now, before in zip(weights, start, strict=True)]
    return torch.stack(squares).sum() / 2
