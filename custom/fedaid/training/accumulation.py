"""Embeddings of a large batch on the memory of a small one, the loss still that of the large one."""

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
    """A batch in parts of ``size`` pairs, each with its texts cut to about the longest among them.

    Args:
        inputs: images or image features, token ids or text features (B, T, …), and mask (B, T) true at real tokens.
        size: pairs in a part; the last may be smaller.
    """
    parts = zip(*(torch.split(tensor, size) for tensor in inputs), strict=True)
    return [trimmed(*part) for part in parts]


def trimmed(images: Tensor, texts: Tensor, mask: Tensor) -> Inputs:
    """The same without the padding that no text needs, up to a multiple of eight tokens.

    Parts of many different sizes leave holes in the memory that none of the next ones fits into.
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
    """Embeddings (B, D) of a batch, of which only ``size`` pairs' activations lie in memory at any time.

    The parts are embedded without keeping activations; the backward pass embeds each again with the same dropout and
    takes it back alone. The gradient is that of the whole batch, the logit scale's included, but for batch norm, whose
    statistics are those of each part (its running ones move once for each).

    Args:
        embed: inputs of a part → its embeddings.
        inputs: of the whole batch; one part or less is simply embedded.
        size: pairs in a part.
        model: whose buffers ``embed`` may change.

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
    """Whatever the block does to the model's buffers, the statistics of batch norm, is undone after it."""
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)
