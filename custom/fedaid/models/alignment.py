"""The alignment module of a tower: its last transformer block and its projection head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def masked_mean(features: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over the real tokens: features (B, T, F), mask (B, T) true at real tokens → (B, F)."""
    if mask is None:
        return features.mean(dim=1)
    kept = torch.where(mask[..., None], features, 0)
    return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


class AlignmentModule(nn.Module):
    """Features → unit-norm embeddings; the only part that the alignment phase trains and that the ideal is made of.

    Args:
        block: features (B, T, F) and mask → features (B, T, F).
        width: F.
        hidden: width of the projection head's one hidden layer.
        embedding_dim: D.
    """

    def __init__(self, block: nn.Module, *, width: int, hidden: int, embedding_dim: int) -> None:
        super().__init__()
        self.block = block
        self.projection = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, embedding_dim))

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Embeddings (B, D) of unit norm, at least float32; padding (mask false) has no influence on them."""
        pooled = masked_mean(self.block(features, mask), mask)
        projected = self.projection(pooled)
        return functional.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=-1)
