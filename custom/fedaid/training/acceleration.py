"""What a site does to a model so that it trains faster or on less memory, its weights and names unchanged."""

from __future__ import annotations

import torch

from fedaid.models.checkpointing import checkpoint_encoders
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.heap import give_back_freed_memory
from fedaid.training.settings import TrainingSettings


def accelerate(model: DualEncoder, settings: TrainingSettings) -> DualEncoder:
    """The model, laid out, checkpointed and compiled in place as the settings say.

    Raises:
        InputError: if no encoder of the model can be checkpointed though the settings ask for it.
    """
    if settings.micro_batch_size:
        give_back_freed_memory()
    if settings.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if settings.gradient_checkpointing:
        checkpoint_encoders(model)
    if settings.compile_backend != "none":
        model.compile(backend=settings.compile_backend, dynamic=True)  # texts differ in length from batch to batch
    return model
