"""The number format that the towers compute in."""

from __future__ import annotations

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which matrix products and convolutions take this format; weights and embeddings stay float32.

    Args:
        precision: a key of :data:`DTYPES`.
        device: of the model.
    """
    return torch.autocast(device.type, dtype=DTYPES[precision], enabled=precision != "fp32")


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Scales losses so that no gradient vanishes in fp16; with another format it does nothing."""
    return torch.amp.GradScaler(device.type, init_scale=2.0**12, enabled=precision == "fp16")
