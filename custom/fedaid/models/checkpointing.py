"""Gradient checkpointing of the Hugging Face encoders: memory for time."""

from __future__ import annotations

from torch import nn

from fedaid.errors import require
from fedaid.models.hugging_face import WHERE


def checkpoint_encoders(model: nn.Module) -> None:
    """Makes every encoder that can keep only the input of each of its blocks in training, and compute the rest again.

    Dropout is replayed, so gradients are those without it.

    Raises:
        InputError: if none of the encoders can.
    """
    able = [module for module in model.modules() if getattr(module, "supports_gradient_checkpointing", False)]
    rule, remedy = "be false for encoders that cannot do it", "Use a Hugging Face encoder, or micro_batch_size."
    require(bool(able), "gradient_checkpointing", rule, got="true", where=WHERE, remedy=remedy)
    for backbone in able:
        backbone.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
