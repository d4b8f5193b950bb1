"""How long one step of local training takes on this machine, on made-up pairs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch

from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder

TIMED = 3


def measure_step(configuration: Mapping[str, Any], *, batch_size: int) -> float:
    """Return the median seconds of a training step with a teacher beside it, after one step to warm up.

    Args:
        configuration: constructor arguments of the model.
        batch_size: B.
    """
    model = DualEncoder(**configuration).train()
    options = model.configuration
    images = torch.rand(batch_size, 1, options["image_size"], options["image_size"])
    tokens = torch.randint(5, 100, (batch_size, options["max_tokens"]))
    mask = torch.ones_like(tokens, dtype=torch.bool)
    optimizer = torch.optim.AdamW(model.parameters())
    seconds = []
    for _ in range(TIMED + 1):
        begin = time.perf_counter()
        with torch.no_grad():
            teacher = model(images, tokens, mask)
        student = model(images, tokens, mask)
        binding = ((student.image - teacher.image) ** 2).sum(1).mean()
        loss = info_nce_loss(student.image, student.text, model.logit_scale, torch.arange(batch_size)) + binding
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
    return median(seconds[1:])
