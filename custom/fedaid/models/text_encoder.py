"""Text towers: the BERT family of Hugging Face, cut before the last layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fedaid.models.hugging_face import LOCAL, cut_last_block, local_backbone, new_backbone
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


def text_tower(name: str, options: Mapping[str, Any], *, vocabulary_size: int, max_tokens: int) -> TowerParts:
    """Parts of the text tower called ``name``.

    Args:
        name: a Hugging Face ``model_type`` of the BERT family, or ``local:FOLDER``.
        options: configuration options; unused for a local folder.
        vocabulary_size: number of tokens of the vocabulary, whose id 0 is padding.
        max_tokens: longest text in tokens, including [CLS] and [SEP].
    """
    sizes = {"vocab_size": vocabulary_size, "pad_token_id": 0, "max_position_embeddings": max_tokens + 2}
    backbone = local_backbone(name) if name.startswith(LOCAL) else new_backbone(name, sizes | dict(options))
    width: int = backbone.config.hidden_size  # type: ignore[union-attr, assignment]
    backbone, layer, norm = cut_last_block(backbone)
    return TowerParts(TextFeatures(backbone), LastBlock(layer, norm), width)
