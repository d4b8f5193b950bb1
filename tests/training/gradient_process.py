"""What every process of ``test_process_group.py`` runs: one backward pass of the loss of a whole batch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from fedaid.losses.binding import binding_loss
from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.accumulation import embed_in_parts
from fedaid.training.processes.process_group import gathered, process_count, process_number, share_of, synchronized
from fedaid.training.processes.rank import join
from fedaid.training.teacher import frozen_encoders

BATCH = 12
SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
NO_BATCH_NORM: dict[str, Any] = {
    "image_encoder": {"name": "vit", "patch_size": 8} | SIZES,
    "text_encoder": {"name": "bert", "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0} | SIZES,
    "image_size": 32,
    "embedding_dim": 8,
    "projection_hidden": 16,
    "max_tokens": 40,
}
FORMATS = {"float32": torch.float32, "float64": torch.float64}


def a_batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(20) < torch.randint(3, 21, (BATCH, 1), generator=generator)
    token_ids = torch.randint(5, 100, mask.shape, generator=generator) * mask
    return torch.randn(BATCH, 1, 32, 32, generator=generator), token_ids, mask


def gradients(model: DualEncoder, *, part: int) -> dict[str, Tensor]:
    """Gradients of L + λ R in whatever process group there is, with duplicates in the batch and the scale learned."""
    generator = torch.Generator().manual_seed(1)
    dtype = model.log_logit_scale.dtype
    target = nn.functional.normalize(torch.randn(2, BATCH, 8, generator=generator, dtype=dtype), dim=-1)
    embed = synchronized(model, lambda *inputs: embed_in_parts(model, inputs, size=part, model=model))
    rows = torch.from_numpy(share_of(np.arange(BATCH)))
    images, token_ids, mask = (tensor[rows] for tensor in a_batch())
    student = embed(images.to(dtype), token_ids, mask)
    teacher = [gathered(tower[rows]) for tower in target]
    groups = gathered(rows // 5)
    loss = info_nce_loss(*student, model.logit_scale, groups) + 0.5 * binding_loss(*student, *teacher)
    loss.backward()  # type: ignore[no-untyped-call]
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    return {"loss": loss.detach()} | found


def cases() -> dict[str, dict[str, Tensor]]:
    """name of a case → its loss and gradients."""
    found = {}
    for name, dtype in FORMATS.items():
        for part in (BATCH, 2):
            found[f"{name}, parts of {part}"] = gradients(DualEncoder(**NO_BATCH_NORM).to(dtype), part=part)
    aligned = DualEncoder(**NO_BATCH_NORM).double()
    with frozen_encoders(aligned):
        found["float64, encoders frozen"] = gradients(aligned, part=BATCH)
    unused = DualEncoder(**NO_BATCH_NORM).double()
    unused.register_parameter("unused", nn.Parameter(torch.ones(2, 2, dtype=torch.float64)))
    found["float64, a weight that nothing uses"] = gradients(unused, part=BATCH)
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    join(folder / "meeting")
    for case, tensors in cases().items():
        save_file(tensors, folder / f"{case} in {process_number()} of {process_count()}.safetensors")
