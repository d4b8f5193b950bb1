"""Image and text towers by name, from networks of MONAI and Hugging Face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fedaid.errors import require
from fedaid.models.hugging_face import TRANSFORMERS, WHERE, cut_last_block, new_backbone, take_norm
from fedaid.models.tower import AppendedBlock, LastBlock, TowerParts, as_tokens


class MonaiFeatures(nn.Module):
    """Adapts a MONAI network to images (B, 1, H, W) → features (B, T, F)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Tokens of the last feature map, or of the last remaining transformer block."""
        out = self.network(images)
        return as_tokens(out[0] if isinstance(out, tuple) else out)


class HuggingFaceFeatures(nn.Module):
    """Adapts a Hugging Face vision backbone; a grey image is repeated for a backbone with colour channels."""

    def __init__(self, backbone: nn.Module, *, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.norm = norm or nn.Identity()
        self.channels: int = backbone.config.num_channels  # type: ignore[union-attr, assignment]

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, H, W) → features (B, T, F)."""
        pixels = images.expand(-1, self.channels, -1, -1)
        features: Tensor = self.norm(as_tokens(self.backbone(pixel_values=pixels).last_hidden_state))
        return features


@torch.no_grad()
def trial(encoder: nn.Module, image_size: int) -> tuple[int, int]:
    """Number of tokens and width of an encoder's features, from one forward pass that does not change the encoder.

    So an encoder that does not take images of this size is found before the job starts.
    """
    training = encoder.training
    features = encoder.eval()(torch.zeros(1, 1, image_size, image_size))
    encoder.train(training)
    return features.shape[1], features.shape[2]


def convolutional(encoder: nn.Module, image_size: int) -> TowerParts:
    """Tower parts of a backbone without transformer blocks; one is added."""
    tokens, width = trial(encoder, image_size)
    return TowerParts(encoder, AppendedBlock(tokens, width), width)


def monai_densenet121(image_size: int, options: Mapping[str, Any]) -> TowerParts:
    """DenseNet121 without its classification layers."""
    from monai.networks.nets import DenseNet121  # takes 5 s of processor time, and other encoders do not need it

    network = DenseNet121(spatial_dims=2, in_channels=1, out_channels=2, **options)
    return convolutional(MonaiFeatures(network.features), image_size)


def monai_resnet(image_size: int, options: Mapping[str, Any]) -> TowerParts:
    """MONAI's ResNet up to its last feature map."""
    from monai.networks.nets import ResNet

    network = ResNet(spatial_dims=2, n_input_channels=1, feed_forward=False, **options)
    names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
    return convolutional(MonaiFeatures(nn.Sequential(*(getattr(network, name) for name in names))), image_size)


def monai_vit(image_size: int, options: Mapping[str, Any]) -> TowerParts:
    """MONAI's ViT, cut before its last block."""
    from monai.networks.nets import ViT

    network = ViT(in_channels=1, img_size=(image_size, image_size), spatial_dims=2, **options)
    for transformer in network.blocks:
        transformer.norm_cross_attn = nn.Identity()  # it would never be trained: there is no cross-attention
    layer = network.blocks[-1]
    del network.blocks[-1]
    block = LastBlock(layer, take_norm(network, "norm"), takes_mask=False)
    return TowerParts(MonaiFeatures(network), block, int(options["hidden_size"]))


MONAI: dict[str, Callable[[int, Mapping[str, Any]], TowerParts]] = {
    "monai_densenet121": monai_densenet121,
    "monai_resnet": monai_resnet,
    "monai_vit": monai_vit,
}


def hugging_face_image(backbone: nn.Module, image_size: int) -> TowerParts:
    """Tower parts of a Hugging Face vision backbone; a plain transformer is cut before its last layer."""
    model_type: str = backbone.config.model_type  # type: ignore[union-attr, assignment]
    if model_type in TRANSFORMERS:
        backbone, layer, norm = cut_last_block(backbone)
        encoder = HuggingFaceFeatures(backbone)
        return TowerParts(encoder, LastBlock(layer, norm, takes_mask=False), trial(encoder, image_size)[1])
    norm = take_norm(backbone, "layernorm") if model_type == "convnext" else None
    return convolutional(HuggingFaceFeatures(backbone, norm=norm), image_size)


def image_tower(name: str, options: Mapping[str, Any], *, image_size: int, weights: Path | None = None) -> TowerParts:
    """Parts of the image tower called ``name``.

    Args:
        name: a key of :data:`MONAI`, or a Hugging Face vision ``model_type``.
        options: constructor or configuration options of that backbone.
        image_size: side of the square input in pixels.
        weights: folder of a Hugging Face model with the initial weights.
    """
    if name in MONAI:
        return MONAI[name](image_size, options)
    size = {"image_size": image_size} if name not in ("convnext", "resnet") else {}
    backbone = new_backbone(name, {"num_channels": 1} | size | dict(options), weights=weights)
    return hugging_face_image(backbone, image_size)


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


def check_sizes(config: Any, *, vocabulary_size: int, max_tokens: int) -> None:
    """An error for a backbone with too few tokens or positions.

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
        vocabulary_size: number of tokens of the vocabulary; id 0 is padding.
        max_tokens: longest text in tokens, including [CLS] and [SEP].
        weights: folder of a Hugging Face model with the initial weights.

    Raises:
        InputError: if the backbone has too few positions or tokens.
    """
    sizes = {"vocab_size": vocabulary_size, "pad_token_id": 0, "max_position_embeddings": max_tokens + 2}
    backbone = new_backbone(name, sizes | dict(options), weights=weights)
    check_sizes(backbone.config, vocabulary_size=vocabulary_size, max_tokens=max_tokens)
    width: int = backbone.config.hidden_size  # type: ignore[union-attr, assignment]
    backbone, layer, norm = cut_last_block(backbone)
    return TowerParts(TextFeatures(backbone), LastBlock(layer, norm), width)
