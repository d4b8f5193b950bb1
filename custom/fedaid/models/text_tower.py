"""Text towers by name, from networks of Hugging Face."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fedaid.errors import require
from fedaid.models.configuration import EncoderChoice
from fedaid.models.hugging_face import TRANSFORMERS, WHERE, cut_last_block, new_backbone
from fedaid.models.pooling import Pooling, last_real
from fedaid.models.tower import LastBlock, NoBlock, TowerParts

COUNT_FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Types whose first position is the one after their padding id."""
PADDING_ROWS = 0.01
"""The largest share of an embedding's rows that no token uses: libraries round the number of rows up."""


class TextFeatures(nn.Module):
    """Adapts a Hugging Face text backbone to token ids and mask → features."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids (B, T) int64 and mask (B, T) bool → features (B, T, F); ignore the features at padding."""
        out = self.backbone(input_ids=token_ids, attention_mask=mask.long())
        features: Tensor = out.last_hidden_state
        return features


class FullLengthFeatures(TextFeatures):
    """Features of a backbone that was trained with padding up to its last position, without a mask.

    Its pooled feature is that of the last position. It replaces that of the last real token, because the features at
    padding are ignored elsewhere.
    """

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids (B, T) int64 and mask (B, T) bool → features (B, T, F); ignore the features at padding."""
        config: Any = self.backbone.config
        rest = config.max_position_embeddings - mask.shape[1]
        padded = token_ids.masked_fill(~mask, config.pad_token_id)
        padded = functional.pad(padded, (0, rest), value=config.pad_token_id)
        hidden: Tensor = self.backbone(input_ids=padded).last_hidden_state
        return torch.where(last_real(mask)[..., None], hidden[:, -1:], hidden[:, : mask.shape[1]])


def check_sizes(config: Any, *, vocabulary_size: int, max_tokens: int) -> None:
    """An error for a backbone with too few tokens or positions.

    RoBERTa and its relatives count their positions from the one after their padding id.
    """
    first = config.pad_token_id + 1 if config.model_type in COUNT_FROM_PADDING else 0
    longest = config.max_position_embeddings - first
    rule, remedy = f"be at most the {longest} positions of the text encoder", "Lower max_tokens."
    require(max_tokens <= longest, "max_tokens", rule, got=max_tokens, where=WHERE, remedy=remedy)
    rule = f"have at most the {config.vocab_size} tokens of the text encoder"
    remedy = "Use the vocabulary that the encoder was trained with."
    ok = vocabulary_size <= config.vocab_size
    require(ok, "vocabulary", rule, got=vocabulary_size, where=WHERE, remedy=remedy)
    rule = f"have the {config.vocab_size} tokens of the text encoder, but for {PADDING_ROWS:.0%}"
    ok = vocabulary_size >= config.vocab_size * (1 - PADDING_ROWS)
    require(ok, "vocabulary", rule, got=vocabulary_size, where=WHERE, remedy=remedy)


def text_tower(choice: EncoderChoice, *, vocabulary_size: int, max_tokens: int) -> TowerParts:
    """Parts of a text tower.

    Args:
        choice: a Hugging Face ``model_type`` with its options.
        vocabulary_size: number of tokens of the vocabulary; the id of padding is 0 unless an option gives it.
        max_tokens: longest text in tokens, including special tokens.

    Raises:
        InputError: if the backbone has too few positions, or another number of tokens.
    """
    sizes = {"vocab_size": vocabulary_size, "pad_token_id": 0, "max_position_embeddings": max_tokens + 2}
    backbone = new_backbone(choice.name, sizes | choice.options, weights=choice.weights)
    check_sizes(backbone.config, vocabulary_size=vocabulary_size, max_tokens=max_tokens)
    width: int = backbone.config.hidden_size  # type: ignore[union-attr, assignment]
    pooling = Pooling(choice.pooling)
    if choice.name not in TRANSFORMERS:
        full = (choice.name, choice.pooling) == ("siglip_text_model", "last")
        features = FullLengthFeatures(backbone) if full else TextFeatures(backbone)
        return TowerParts(features, NoBlock(), width, pooling)
    backbone, layer, norm = cut_last_block(backbone)
    return TowerParts(TextFeatures(backbone), LastBlock(layer, norm), width, pooling)
