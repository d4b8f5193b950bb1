"""Modules that must not change: no gradient, evaluation mode."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from fedaid.models.dual_encoder import DualEncoder


def frozen_copy(model: DualEncoder) -> DualEncoder:
    """The teacher: a copy in evaluation mode (no dropout, no drift of batch statistics) that takes no gradient."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def encoders(model: DualEncoder) -> tuple[nn.Module, nn.Module]:
    """Everything before the alignment modules."""
    return model.image["encoder"], model.text["encoder"]


@contextmanager
def frozen_encoders(model: DualEncoder) -> Iterator[None]:
    """The model in training mode but for its encoders, which are frozen and in evaluation mode inside the block."""
    model.train()
    trained = [weight for encoder in encoders(model) for weight in encoder.parameters() if weight.requires_grad]
    for encoder in encoders(model):
        encoder.eval().requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)
