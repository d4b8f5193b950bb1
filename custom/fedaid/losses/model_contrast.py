"""The model-contrastive term: nearer to the global model than to what the site made of it the last time."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def model_contrastive_loss(embeddings: Tensor, start: Tensor, previous: Tensor, *, temperature: float) -> Tensor:
    """Mean over the batch of −log( e^(z·z₊/τ) / (e^(z·z₊/τ) + e^(z·z₋/τ)) ), for the embeddings of one modality.

    Args:
        embeddings: z, of the model that is trained, unit-norm, (B, D).
        start: z₊, of the model that it started from, the same samples, detached.
        previous: z₋, of the site's own model of the round before, detached.
        temperature: τ, above 0.

    Returns:
        Scalar in nats, above 0; log 2 where both models embed alike.

    Source: equation 3 of MOON, arXiv:2103.16257, where z is what the projection head makes; here that is the embedding
    itself, which the contrastive loss sees, too.
    """
    nearer_to_previous = (embeddings * previous).sum(dim=1) - (embeddings * start).sum(dim=1)
    return functional.softplus(nearer_to_previous / temperature).mean()
