"""Embeddings of a large batch in the memory of a small one; the loss is that of the large batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.hardware import autocast
from fedaid.training.settings import TrainingSettings

EIGHT = 8
Inputs = tuple[Tensor, Tensor, Tensor]


def micro_batches(inputs: Inputs, size: int) -> list[Inputs]:
    """A batch in parts of ``size`` pairs, each with its texts cut to about its longest text.

    Args:
        inputs: images or image features, token ids or text features (B, T, …), and mask (B, T) true at real tokens.
        size: pairs in a part; the last may be smaller.
    """
    parts = zip(*(torch.split(tensor, size) for tensor in inputs), strict=True)
    return [trimmed(*part) for part in parts]


def trimmed(images: Tensor, texts: Tensor, mask: Tensor) -> Inputs:
    """The inputs without unnecessary padding; texts keep a multiple of eight tokens.

    Parts of many different sizes would fragment the memory.
    """
    longest = min(-(-int(mask.any(dim=0).sum()) // EIGHT) * EIGHT, mask.shape[1])
    return images, texts[:, :longest], mask[:, :longest]


def in_parts(
    model: DualEncoder, embed: Callable[..., Embeddings], settings: TrainingSettings
) -> Callable[..., Embeddings]:
    """Inputs of a batch → its embeddings (B, D), float32, in the precision and the parts of the settings.

    Args:
        model: whose weights ``embed`` uses.
        embed: inputs of a part → its embeddings.
        settings: of local training.
    """
    device = model.log_logit_scale.device

    def in_precision(*part: Tensor) -> Embeddings:
        """Embeddings of a part in the format of the settings."""
        with autocast(settings.precision, device):
            return embed(*part)

    return lambda *inputs: embed_in_parts(in_precision, inputs, size=settings.pairs_at_once, model=model)


def embed_in_parts(embed: Callable[..., Embeddings], inputs: Inputs, *, size: int, model: nn.Module) -> Embeddings:
    """Embeddings (B, D) of a batch; at any time only the activations of ``size`` pairs are in memory.

    The parts are embedded without storing activations. The backward pass embeds each part again, with the same dropout,
    and computes its gradient. The gradient equals that of the whole batch, also for the logit scale. Batch norm is the
    exception: its statistics are those of each part, and its running statistics are updated once for each part.

    Args:
        embed: inputs of a part → its embeddings.
        inputs: of the whole batch; a batch of at most one part is embedded directly.
        size: pairs in a part.
        model: ``embed`` may change its buffers.

    Source: the two passes of GradCache, arXiv:2101.06983, section 3.2, by torch's checkpointing of each part.
    """
    if len(inputs[0]) <= size:
        return embed(*inputs)
    parts = [
        checkpoint(embed, *part, use_reentrant=False, context_fn=lambda: (nullcontext(), still_buffers(model)))
        for part in micro_batches(inputs, size)
    ]
    return Embeddings(torch.cat([part.image for part in parts]), torch.cat([part.text for part in parts]))


@contextmanager
def still_buffers(model: nn.Module) -> Iterator[None]:
    """Restores the model's buffers (the statistics of batch norm) after the block."""
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)
