"""Text towers: the BERT family of Hugging Face, cut before the last layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fedaid.errors import require
from fedaid.models.hugging_face import WHERE, cut_last_block, new_backbone
from fedaid.models.tower import LastBlock, TowerParts


class TextFeatures(nn.Module):
    """Adapts a Hugging Face text backbone to token ids and mask → features."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids (B, T) int64 and mask (B, T) bool → features (B, T, F); features at padding are meaningless."""
        out = self.backbone(input_ids=token_ids, attention_mask=mask.long())
        features: Tensor = out.last_hidden_state
        return features


def check_sizes(config: Any, *, vocabulary_size: int, max_tokens: int) -> None:
    """Refuses a backbone without a row for every token or every position.

    RoBERTa counts its positions from the one after its padding id.
    """
    first = config.pad_token_id + 1 if config.model_type == "roberta" else 0
    longest = config.max_position_embeddings - first
    rule, remedy = f"be at most the {longest} positions of the text encoder", "Lower max_tokens."
    require(max_tokens <= longest, "max_tokens", rule, got=max_tokens, where=WHERE, remedy=remedy)
    rule = f"have at most the {config.vocab_size} tokens of the text encoder"
    remedy = "Use the vocabulary that the encoder was trained with."
    ok = vocabulary_size <= config.vocab_size
    require(ok, "vocabulary", rule, got=vocabulary_size, where=WHERE, remedy=remedy)


def text_tower(
    name: str, options: Mapping[str, Any], *, vocabulary_size: int, max_tokens: int, weights: Path | None = None
) -> TowerParts:
    """Parts of the text tower called ``name``.

    Args:
        name: a Hugging Face ``model_type`` of the BERT family.
        options: configuration options.
        vocabulary_size: number of tokens of the vocabulary, whose id 0 is padding.
        max_tokens: longest text in tokens, including [CLS] and [SEP].
        weights: folder of a Hugging Face model to start from.

    Raises:
        InputError: if the backbone has too few positions or tokens.
    """
    sizes = {"vocab_size": vocabulary_size, "pad_token_id": 0, "max_position_embeddings": max_tokens + 2}
    backbone = new_backbone(name, sizes | dict(options), weights=weights)
    check_sizes(backbone.config, vocabulary_size=vocabulary_size, max_tokens=max_tokens)
    width: int = backbone.config.hidden_size  # type: ignore[union-attr, assignment]
    backbone, layer, norm = cut_last_block(backbone)
    return TowerParts(TextFeatures(backbone), LastBlock(layer, norm), width)
