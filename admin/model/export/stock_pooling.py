"""How a tower pools its features, as expressions of torch and transformers only."""

from __future__ import annotations

from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.folder.backbone_weights import BARE_CLASSES
from fedaid.models.pooling import PARTS
from fedaid.models.text_tower import FullLengthFeatures

IMAGE = {
    "mean": "{}.mean(1)",
    "class": "{}[:, 0]",
    "patches": "{}[:, 1:].mean(1)",
    "attention": "{}",
}
TEXT = {
    "mean": "(hidden * mask).sum(1) / mask.sum(1)  # the mean of the real tokens",
    "class": "hidden[:, 0]  # the first token",
    "last": "hidden[torch.arange(len(reports)), mask[..., 0].sum(1) - 1]  # the last real token",
    "max": "hidden.masked_fill(mask == 0, -torch.inf).amax(1)  # the maximum over the real tokens",
}
FULL_LENGTH = "hidden[:, -1]  # the last position, as in training"


def kind_of(tower: object) -> str:
    """Return how a tower pools its features."""
    kind: str = tower["alignment"].pooling.kind  # type: ignore[index]
    return kind


def pooling_part(model: DualEncoder) -> str | None:
    """Return the name of the layer of the image encoder that belongs to its pooling."""
    return PARTS.get((model.configuration["image_encoder"]["name"], kind_of(model.image)))


def pooled_image(model: DualEncoder, features: str) -> str:
    """Return the expression of the pooled features, (B, F), of an expression of features (B, T, F)."""
    part, pooled = pooling_part(model), IMAGE[kind_of(model.image)].format(features)
    return f"@encoder.{part}({pooled})" if part else pooled


def pooled_text(model: DualEncoder) -> str:
    """Return the expression of the pooled features of ``hidden`` (B, T, F) with ``mask`` (B, T, 1), with a comment."""
    return FULL_LENGTH if full_length(model) else TEXT[kind_of(model.text)]


def full_length(model: DualEncoder) -> dict[str, int] | None:
    """Return length and padding id of a text encoder that takes padding without a mask; None for the other ones."""
    encoder = model.text["encoder"]
    if not isinstance(encoder, FullLengthFeatures):
        return None
    config = encoder.backbone.config
    return {"length": config.max_position_embeddings, "padding": config.pad_token_id}  # type: ignore[union-attr, dict-item]


def text_class(model: DualEncoder) -> str:
    """Return the name of the class of ``transformers`` that loads the text encoder."""
    bare = BARE_CLASSES.get(model.configuration["text_encoder"]["name"])
    return bare.__name__ if bare else "AutoModel"
