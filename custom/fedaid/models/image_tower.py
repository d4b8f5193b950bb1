"""Image towers by name, from networks of MONAI and Hugging Face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fedaid.errors import require
from fedaid.models.configuration import EncoderChoice
from fedaid.models.folder.monai_network import fill, monai_channels
from fedaid.models.hugging_face import TRANSFORMERS, WHERE, cut_last_block, new_backbone, take_norm, take_part
from fedaid.models.pixel_scale import MEAN, PixelScale, ScaledPixels
from fedaid.models.pooling import MEAN_OF_TOKENS, PARTS, Pooling
from fedaid.models.tower import AppendedBlock, LastBlock, TowerParts, as_tokens

ANY_SIZE = ("convnext", "convnextv2", "resnet")
"""Types whose configuration has no image size."""
ANY_PATCHES = (*ANY_SIZE, "swin", "swinv2")
"""Types that pad an image to whole patches, or whose patches are the steps of a convolution."""
CONVNEXTS = ("convnext", "convnextv2")
"""Types whose norm is meant for the pooled features."""
MASKED = ("clip_vision_model", "siglip_vision_model")
"""Types whose layers take a mask, which images do not have."""


class MonaiFeatures(nn.Module):
    """Adapts a MONAI network to images (B, 1, H, W) → features (B, T, F).

    Args:
        network: takes images (B, C, H, W).
        scale: of the grey values; None for a network that takes [-1, 1].
        channels: C; the grey image is repeated.
    """

    def __init__(self, network: nn.Module, *, scale: PixelScale | None = None, channels: int = 1) -> None:
        super().__init__()
        self.network = network
        self.channels = channels
        self.scale = nn.Identity() if scale is None else ScaledPixels(scale)

    def forward(self, images: Tensor) -> Tensor:
        """Tokens of the last feature map, or of the last remaining transformer block."""
        out = self.network(self.scale(images).expand(-1, self.channels, -1, -1))
        return as_tokens(out[0] if isinstance(out, tuple) else out)


class HuggingFaceFeatures(nn.Module):
    """Adapts a Hugging Face vision backbone; a grey image is repeated for a backbone with colour channels.

    Args:
        backbone: takes images (B, C, H, W).
        norm: applied to the features.
        scale: of the grey values; None for a backbone that takes [-1, 1].
    """

    def __init__(self, backbone: nn.Module, *, norm: nn.Module | None = None, scale: PixelScale | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.norm = norm or nn.Identity()
        self.scale = nn.Identity() if scale is None else ScaledPixels(scale)
        self.channels: int = backbone.config.num_channels  # type: ignore[union-attr, assignment]

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, H, W) in [-1, 1] → features (B, T, F)."""
        pixels = self.scale(images).expand(-1, self.channels, -1, -1)
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


def convolutional(encoder: nn.Module, image_size: int, *, identity: bool = False) -> TowerParts:
    """Tower parts of a backbone without transformer blocks; one is added, for pretrained weights as the identity."""
    tokens, width = trial(encoder, image_size)
    return TowerParts(encoder, AppendedBlock(tokens, width, identity=identity), width)


def monai_densenet121(image_size: int, choice: EncoderChoice) -> TowerParts:
    """DenseNet121 without its classification layers."""
    from monai.networks.nets import DenseNet121  # takes 5 s of processor time, and other encoders do not need it

    network = DenseNet121(spatial_dims=2, out_channels=2, **{"in_channels": 1} | choice.options)
    fill(network, choice.weights)
    encoder = MonaiFeatures(network.features, scale=choice.scale, channels=monai_channels(choice.name, choice.options))
    return convolutional(encoder, image_size, identity=choice.pretrained)


def monai_resnet(image_size: int, choice: EncoderChoice) -> TowerParts:
    """MONAI's ResNet up to its last feature map."""
    from monai.networks.nets import ResNet

    network = ResNet(spatial_dims=2, feed_forward=False, **{"n_input_channels": 1} | choice.options)
    fill(network, choice.weights)
    names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
    layers = nn.Sequential(*(getattr(network, name) for name in names))
    encoder = MonaiFeatures(layers, scale=choice.scale, channels=monai_channels(choice.name, choice.options))
    return convolutional(encoder, image_size, identity=choice.pretrained)


def monai_vit(image_size: int, choice: EncoderChoice) -> TowerParts:
    """MONAI's ViT, cut before its last block."""
    from monai.networks.nets import ViT

    network = ViT(in_channels=1, img_size=(image_size, image_size), spatial_dims=2, **choice.options)
    for transformer in network.blocks:
        transformer.norm_cross_attn = nn.Identity()  # it would never be trained: there is no cross-attention
    layer = network.blocks[-1]
    del network.blocks[-1]
    block = LastBlock(layer, take_norm(network, "norm"), takes_mask=False)
    return TowerParts(MonaiFeatures(network, scale=choice.scale), block, int(choice.options["hidden_size"]))


MONAI: dict[str, Callable[[int, EncoderChoice], TowerParts]] = {
    "monai_densenet121": monai_densenet121,
    "monai_resnet": monai_resnet,
    "monai_vit": monai_vit,
}


def hugging_face_image(
    backbone: nn.Module,
    image_size: int,
    *,
    pretrained: bool = False,
    scale: PixelScale | None = None,
    pooling: str = MEAN_OF_TOKENS,
) -> TowerParts:
    """Tower parts of a Hugging Face vision backbone; a plain transformer is cut before its last layer.

    Args:
        backbone: with all its layers.
        image_size: side of the square input in pixels.
        pretrained: whether an added block starts as the identity.
        scale: of the grey values that the backbone takes.
        pooling: how its features become one vector.
    """
    model_type: str = backbone.config.model_type  # type: ignore[union-attr, assignment]
    pooled = Pooling(pooling, take_part(backbone, PARTS.get((model_type, pooling))))
    if model_type in TRANSFORMERS:
        backbone, layer, norm = cut_last_block(backbone)
        encoder = HuggingFaceFeatures(backbone, scale=scale)
        block = LastBlock(layer, norm, takes_mask=model_type in MASKED)
        return TowerParts(encoder, block, trial(encoder, image_size)[1], pooled)
    norm = take_norm(backbone, "layernorm") if model_type in CONVNEXTS else None
    encoder = HuggingFaceFeatures(backbone, norm=norm, scale=scale)
    return convolutional(encoder, image_size, identity=pretrained)._replace(pooling=pooled)


def image_tower(choice: EncoderChoice, *, image_size: int) -> TowerParts:
    """Parts of an image tower.

    Args:
        choice: a name of :data:`MONAI` or a Hugging Face vision ``model_type``, with its options.
        image_size: side of the square input in pixels.

    Raises:
        InputError: if the size is no multiple of the patch size, or the scale has another number of channels.
    """
    if choice.name in MONAI:
        check_patches(choice.name, choice.options, image_size)
        channels = {"num_channels": monai_channels(choice.name, choice.options)}
        check_image(choice.name, channels, image_size=image_size, scale=choice.scale)
        return MONAI[choice.name](image_size, choice)
    size = {} if choice.name in ANY_SIZE else {"image_size": image_size}
    options = {"num_channels": 1} | size | choice.options
    check_image(choice.name, options, image_size=image_size, scale=choice.scale)
    used = PARTS.get((choice.name, choice.pooling))
    backbone = new_backbone(choice.name, options, weights=choice.weights, used=used)
    facts: dict[str, Any] = {"pretrained": choice.pretrained, "scale": choice.scale, "pooling": choice.pooling}
    return hugging_face_image(backbone, image_size, **facts)


def check_patches(name: str, options: Mapping[str, Any], image_size: int) -> None:
    """An error if an encoder would cut off the border of the image, because it does not divide into patches."""
    patch = options.get("patch_size")
    sides = [side for side in (patch if isinstance(patch, (list, tuple)) else [patch]) if isinstance(side, int)]
    rule = f"be a multiple of the encoder's patch size {patch}"
    ok = name in ANY_PATCHES or all(image_size % side == 0 for side in sides)
    require(ok, "image_size", rule, got=image_size, where=WHERE, remedy="Correct image_size.")


def check_image(name: str, options: Mapping[str, Any], *, image_size: int, scale: PixelScale | None) -> None:
    """An error if the image does not divide into patches, or the scale has another number of channels."""
    check_patches(name, options, image_size)
    channels = options["num_channels"]
    given = 1 if scale is None else len(scale.mean)
    counts = "1 number" if channels == 1 else f"1 or {channels} numbers"
    rule, remedy = f"have {counts}, one for each channel of the encoder", "Correct pixel_mean and pixel_std."
    require(given in (1, channels), MEAN, rule, got=given, where=WHERE, remedy=remedy)
