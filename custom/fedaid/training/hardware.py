"""Makes a model train faster or in less memory; its weights and names do not change."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import nn

from fedaid.data.dataset import Batch
from fedaid.errors import require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.hugging_face import WHERE
from fedaid.training.heap import give_back_freed_memory
from fedaid.training.settings import TrainingSettings

HEAVY = 2**28
"""Bytes of weights from which memory that a step has freed is given back.

The machine clears each page that it gives, which takes a small model up to half of its step.
"""


def accelerate(model: DualEncoder, settings: TrainingSettings) -> DualEncoder:
    """Applies the memory layout, gradient checkpointing and compilation of the settings, in place; returns the model.

    Raises:
        InputError: if the settings ask for gradient checkpointing and no encoder supports it.
    """
    if settings.micro_batch_size or sum(weight.nbytes for weight in model.parameters()) >= HEAVY:
        give_back_freed_memory()
    if settings.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if settings.gradient_checkpointing:
        checkpoint_encoders(model)
    if settings.compile_backend != "none":
        model.compile(backend=settings.compile_backend, dynamic=True)  # texts have another length in each batch
    return model


def placed(batch: Batch, model: DualEncoder, settings: TrainingSettings) -> Batch:
    """The batch on the model's device and in its memory layout."""
    batch = batch.to(model.log_logit_scale.device)
    if not settings.channels_last:
        return batch
    return batch._replace(images=batch.images.contiguous(memory_format=torch.channels_last))


CPU_FACTS = Path("/proc/cpuinfo")
BF16_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}  # of x86, x86 and ARM
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products and convolutions use this format; weights and embeddings stay float32.

    Args:
        precision: a key of :data:`DTYPES`, or ``auto``.
        device: of the model.
    """
    chosen = ("bf16" if computes_bf16(device.type) else "fp32") if precision == "auto" else precision
    return torch.autocast(device.type, dtype=DTYPES[chosen], enabled=chosen != "fp32")


@functools.cache
def computes_bf16(kind: str) -> bool:
    """Whether a processor or GPU has instructions for bf16; without them it is slower than fp32.

    Args:
        kind: of the device, ``cpu`` or ``cuda``; other kinds have none.
    """
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    try:
        return kind == "cpu" and bool(BF16_FLAGS & set(CPU_FACTS.read_text(encoding="utf-8").split()))
    except OSError:  # not Linux
        return False


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Scales losses so that gradients do not vanish in fp16; it does nothing with another format."""
    return torch.amp.GradScaler(device.type, init_scale=2.0**12, enabled=precision == "fp16")


def checkpoint_encoders(model: nn.Module) -> None:
    """Turns on gradient checkpointing: an encoder stores only the input of each block and computes the rest again.

    The same dropout is applied again, so the gradients do not change. A frozen encoder stores nothing without it, and
    with it everything, because transformers then lets its input take a gradient. So it is left out.

    Raises:
        InputError: if no encoder supports it.
    """
    able = [module for module in model.modules() if getattr(module, "supports_gradient_checkpointing", False)]
    rule, remedy = "be false for encoders that cannot do it", "Use a Hugging Face encoder, or micro_batch_size."
    require(bool(able), "gradient_checkpointing", rule, got="true", where=WHERE, remedy=remedy)
    for backbone in [one for one in able if any(weight.requires_grad for weight in one.parameters())]:
        backbone.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
