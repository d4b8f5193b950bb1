"""Terms against client drift: of the weights (FedProx) and of the embeddings (MOON)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional


def proximal_loss(weights: Iterable[Tensor], start: Iterable[Tensor]) -> Tensor:
    """½ ‖θ − θ₀‖², over all weights together; its gradient is θ − θ₀.

    Args:
        weights: θ, at least one tensor, of any shape.
        start: θ₀, the same shapes in the same order, detached.

    Returns:
        Scalar, at least 0.

    Source: equation 2 of FedProx, arXiv:1812.06127, without its μ.
    """
    squares = [(now - before).square().sum() for now, before in zip(weights, start, strict=True)]
    return torch.stack(squares).sum() / 2


def model_contrastive_loss(embeddings: Tensor, start: Tensor, previous: Tensor, *, temperature: float) -> Tensor:
    """Mean over the batch of −log( e^(z·z₊/τ) / (e^(z·z₊/τ) + e^(z·z₋/τ)) ), for the embeddings of one modality.

    Args:
        embeddings: z, of the trained model, unit-norm, (B, D).
        start: z₊, of the model at the start of the phase, for the same samples, detached.
        previous: z₋, of the site's model of the previous round, detached.
        temperature: τ, above 0.

    Returns:
        Scalar in nats, above 0; log 2 if both models give the same embeddings.

    Source: equation 3 of MOON, arXiv:2103.16257, where z is the output of a projection head; here it is the embedding,
    which is also the input of the contrastive loss.
    """
    nearer_to_previous = (embeddings * previous).sum(dim=1) - (embeddings * start).sum(dim=1)
    return functional.softplus(nearer_to_previous / temperature).mean()
