"""The contrastive loss of images and their reports."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def similarity(image_embeddings: Tensor, text_embeddings: Tensor) -> Tensor:
    """Cosine similarity of every image with every text.

    Args:
        image_embeddings: unit-norm, float, shape (N, D).
        text_embeddings: unit-norm, float, shape (M, D).

    Returns:
        Shape (N, M), in [-1, 1].
    """
    return image_embeddings @ text_embeddings.T


def duplicates(groups: Tensor) -> Tensor:
    """Which studies of a batch have the same text: groups (B,) → bool (B, B), false on the diagonal."""
    return (groups[:, None] == groups[None, :]).fill_diagonal_(False)


def info_nce_loss(
    image_embeddings: Tensor, text_embeddings: Tensor, logit_scale: Tensor, groups: Tensor | None = None
) -> Tensor:
    """Symmetric InfoNCE over a batch: the mean of image-to-text and text-to-image cross-entropy.

    Row b of both inputs belongs to one study; the other rows are its negatives. Rows with the same text, such as the
    many normal reports, are left out. A row with n remaining candidates is scaled by log B / log n, so that unrelated
    embeddings give about log B and perfect ones 0, for any number of duplicates in a batch or at a site.

    Args:
        image_embeddings: unit-norm, float, shape (B, D), B at least 2 (with one pair the loss is constant).
        text_embeddings: unit-norm, float, shape (B, D).
        logit_scale: scalar, the inverse temperature, a factor of the similarities.
        groups: (B,), equal for studies with the same text; None if all differ.

    Returns:
        Scalar in nats, at least 0.

    Raises:
        ValueError: if the shapes differ or B is below 2.

    Source: arXiv:2404.03854 uses the loss of CLIP, arXiv:2103.00020, figure 3; the treatment of duplicates is ours.
    """
    if image_embeddings.shape != text_embeddings.shape or len(image_embeddings) < 2:
        raise ValueError(
            f"embeddings must have one shape (B, D) with B at least 2, got {tuple(image_embeddings.shape)} and "
            f"{tuple(text_embeddings.shape)}: info_nce_loss. Batch at least two pairs."
        )
    logits = logit_scale * similarity(image_embeddings, text_embeddings)
    target = torch.arange(len(logits), device=logits.device)
    if groups is None:
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)) / 2
    same = duplicates(groups)
    candidates = len(logits) - same.sum(dim=1)
    scale = torch.where(candidates > 1, math.log(len(logits)) / candidates.log(), 0.0)
    logits = logits.masked_fill(same, -torch.inf)
    to_text, to_image = (functional.cross_entropy(one, target, reduction="none") for one in (logits, logits.T))
    return ((to_text + to_image) / 2 * scale).sum() / (candidates > 1).sum().clamp(min=1)
