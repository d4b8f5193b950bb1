"""Divides a batch among the processes of a site, and gathers the embeddings for the loss.

Every process knows the rows of the whole batch, embeds its share, and computes the loss of the whole batch from all
embeddings. Without a process group there is one process, its share is the batch, and this module has no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fedaid.models.dual_encoder import DualEncoder, Embeddings


def process_count() -> int:
    """Number of processes that share a batch, at least 1."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def process_number() -> int:
    """Rank of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def share_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """This process's share of the rows (B,) of a batch; the number of processes must divide B."""
    return np.split(rows, process_count())[process_number()]


def gathered(tensor: Tensor) -> Tensor:
    """Rows of all processes, in the order of the batch: (B / processes, …) → (B, …), differentiable."""
    if process_count() == 1:
        return tensor
    rows: Tensor = _Gather.apply(tensor)  # type: ignore[no-untyped-call]
    return rows


class _Gather(torch.autograd.Function):
    """Gathers rows; its gradient is that of this process's rows, times the number of processes.

    All processes compute the same loss, so their gradients of a row are equal, and the sum over processes is one of
    them times the number of processes. DDP then takes the mean over processes. So the gradient is that of the loss of
    the whole batch, for weights used before the gathering and for the logit scale, which is used after it.
    """

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        """Rows of all processes."""
        parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(process_count())]
        distributed.all_gather(parts, tensor.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        """Gradient of this process's rows, for the mean that DDP takes."""
        return gradients[0].chunk(process_count())[process_number()] * process_count()


def synchronized(model: DualEncoder, embed: Callable[..., Embeddings]) -> Callable[..., Embeddings]:
    """Inputs of this process's share → embeddings (B, D) of the whole batch.

    Call the result once for each backward pass. Then every process has the same gradient.

    Args:
        model: each of its parameters that require gradients must be used in every step or in none.
        embed: inputs of a share → its embeddings, with the model's weights.
    """
    if process_count() == 1:
        return embed
    return DistributedDataParallel(_WholeBatch(model, embed), gradient_as_bucket_view=True, static_graph=True)


class _WholeBatch(nn.Module):
    """The embedding as a module, which torch's DDP needs."""

    def __init__(self, model: DualEncoder, embed: Callable[..., Embeddings]) -> None:
        super().__init__()
        self.model, self._embed = model, embed

    def forward(self, *inputs: Tensor) -> Embeddings:
        """Embeddings of the whole batch."""
        share = self._embed(*inputs)
        return Embeddings(gathered(share.image), gathered(share.text))
