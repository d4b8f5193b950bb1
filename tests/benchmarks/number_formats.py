"""What bf16 costs and gives against fp32 on this processor, on towers of the size of ViT-B/16 and BERT-base."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import Any

import torch

from fedaid.models.dual_encoder import DualEncoder
from tests.benchmarks.speed_site import settings_of, site
from tests.benchmarks.speed_training import seconds

BASE: dict[str, Any] = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
LARGE: dict[str, Any] = {
    "image_encoder": {"name": "vit", "patch_size": 16, "intermediate_size": 3072} | BASE,
    "text_encoder": {"name": "bert", "intermediate_size": 3072} | BASE,
    "image_size": 224,
    "max_tokens": 80,
}


def bf16_against_fp32(repeats: int = 5, batch_size: int = 8, *, model: dict[str, Any] = LARGE) -> dict[str, Any]:
    """Seconds of a training step in each format, in turns, and how far the loss of the first step is off.

    Both start from the same weights and see the same batch; loading is part of a step.
    """
    settings = settings_of("fedavg", steps=(0, 1), batch_size=batch_size)
    start = DualEncoder(**model).state_dict()
    taken: dict[str, list[float]] = {"fp32": [], "bf16": []}
    losses: dict[str, float] = {}
    for turn in range(repeats + 1):  # the first does not count
        for precision in taken if turn % 2 else reversed(taken):
            worker = site(model, replace(settings, precision=precision), studies=4 * batch_size)
            worker.load({name: tensor.numpy() for name, tensor in start.items()})
            found: list[float] = []
            took = seconds(lambda: found.append(worker.pretrain(round_number=0).losses.contrastive))  # noqa: B023
            losses[precision] = found[0]
            taken[precision] += [took] if turn else []
    ratios = [half / full for half, full in zip(taken["bf16"], taken["fp32"], strict=True)]
    return {
        "time_ratio": median(ratios),
        "ratios": ratios,
        "seconds": {name: median(values) for name, values in taken.items()},
        "loss_difference": losses["bf16"] - losses["fp32"],
        "loss": losses["fp32"],
        "batch_size": batch_size,
        "has_bf16_instructions": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    }
