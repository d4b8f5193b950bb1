"""The parts of a tower, the same for every backbone: an encoder, the block after it, and a width."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class TowerParts(NamedTuple):
    """One tower without its projection head.

    Attributes:
        encoder: image (B, 1, H, W) or token ids and mask (B, T) → features (B, T, F); frozen in the alignment phase.
        block: features and mask → features of the same shape; the tower's last transformer block, part of the
            alignment module.
        width: F.
        pooling: features and mask → (B, F), part of the alignment module; None for the mean.
    """

    encoder: nn.Module
    block: nn.Module
    width: int
    pooling: nn.Module | None = None


def additive_mask(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Mask (B, T), true at real tokens → (B, 1, 1, T): 0 at tokens, the lowest number of ``dtype`` at padding."""
    return (~mask[:, None, None, :]).to(dtype) * torch.finfo(dtype).min


class LastBlock(nn.Module):
    """The last transformer layer of a backbone and the norm after it, removed from the backbone."""

    def __init__(self, layer: nn.Module, norm: nn.Module | None = None, *, takes_mask: bool = True) -> None:
        super().__init__()
        self.layer = layer
        self.norm = norm or nn.Identity()
        self.takes_mask = takes_mask

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features (B, T, F) → (B, T, F); ``mask`` (B, T) is true at real tokens."""
        if self.takes_mask:
            out = self.layer(features, None if mask is None else additive_mask(mask, features.dtype))
        else:
            out = self.layer(features)
        hidden: Tensor = self.norm(out[0] if isinstance(out, tuple) else out)
        return hidden


class NoBlock(nn.Module):
    """In place of the last block of a text backbone that cannot be cut: its last layer needs more than features."""

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features (B, T, F), unchanged."""
        return features


class AppendedBlock(nn.Module):
    """A transformer block after a convolutional backbone, which has none.

    It adds a learned position to each of the T places of the feature map, because pooling would lose left and right.

    Args:
        tokens: T.
        width: F.
        identity: whether the block starts as the identity, so that the features of a pretrained backbone pass.
    """

    def __init__(self, tokens: int, width: int, *, identity: bool = False) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, tokens, width) * 0.02)
        heads = next(h for h in (8, 4, 2, 1) if width % h == 0)
        self.layer = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.Identity() if identity else nn.LayerNorm(width)
        for last in (self.layer.self_attn.out_proj, self.layer.linear2) if identity else ():
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        if identity:
            nn.init.zeros_(self.position)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features (B, T, F) → (B, T, F); a feature map has no padding, so ``mask`` is None."""
        hidden: Tensor = self.norm(self.layer(features + self.position))
        return hidden


def as_tokens(feature_map: Tensor) -> Tensor:
    """A feature map (B, F, h, w) as tokens (B, h·w, F); tokens are returned unchanged."""
    return feature_map.flatten(2).transpose(1, 2) if feature_map.ndim == 4 else feature_map
