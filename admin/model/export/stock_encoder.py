"""A tower's encoder as a class of another library, including the last block from the alignment module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from fedaid.models.folder.backbone_weights import drawn
from fedaid.models.folder.monai_network import monai_channels
from fedaid.models.hugging_face import TRANSFORMERS
from fedaid.models.image_tower import ANY_SIZE, CONVNEXTS
from fedaid.models.pixel_scale import PixelScale

UNTRAINED = ("pooler.", "head.", "embeddings.mask_token", "norm_cross_attn.")


@dataclass(frozen=True)
class StockEncoder:
    """An encoder that works without code of this project.

    Attributes:
        definition: MONAI's configuration of the encoder: ``_target_`` and arguments, or an expression.
        parts: the parts that ``definition`` refers to, by name.
        tokens: an expression of ``@encoder`` and ``images``; its value is features (B, T, F).
        holds_last_block: whether the encoder includes the alignment module's block.
    """

    definition: Any
    parts: Mapping[str, Any]
    tokens: str
    holds_last_block: bool


def hugging_face_encoder(config: Any, scale: PixelScale | None) -> StockEncoder:
    """Return the encoder of a Hugging Face vision configuration; a grey image is repeated over its channels.

    Args:
        config: of the backbone.
        scale: of the grey values that it takes; None for [-1, 1].
    """
    target = {"_target_": "transformers.AutoConfig.for_model"} | config.to_diff_dict()
    definition = {"_target_": "transformers.AutoModel.from_config", "config": "@encoder_config"}
    images = "images" if scale is None else f"({scaled(scale)})"
    images = images if config.num_channels == 1 else f"{images}.expand(-1, {config.num_channels}, -1, -1)"
    tokens = f"@encoder({images}).last_hidden_state"
    if config.model_type in ANY_SIZE:
        tokens += ".flatten(2).mT"
    if config.model_type in CONVNEXTS:
        tokens = f"@encoder.layernorm({tokens})"
    return StockEncoder(definition, {"encoder_config": target}, tokens, config.model_type in TRANSFORMERS)


def scaled(scale: PixelScale) -> str:
    """Return the expression that gives ``images`` in [-1, 1] the scale of an encoder."""
    mean, std = (f"torch.tensor({list(values)})[:, None, None].to(images)" for values in scale)
    return f"((images + 1) / 2 - {mean}) / {std}"


def monai_encoder(
    name: str, options: Mapping[str, Any], image_size: int, *, scale: PixelScale | None = None
) -> StockEncoder:
    """Return the encoder of a MONAI network, without its classification layers.

    Args:
        name: of the network.
        options: of its class.
        image_size: side of the square input in pixels.
        scale: of the grey values that it takes; None for [-1, 1].
    """
    flat, images = dict(options) | {"spatial_dims": 2}, "images" if scale is None else f"({scaled(scale)})"
    channels = monai_channels(name, options)
    images = images if channels == 1 else f"{images}.expand(-1, {channels}, -1, -1)"
    if name == "monai_vit":
        vit = {"_target_": "monai.networks.nets.ViT", "in_channels": 1, "img_size": [image_size, image_size]} | flat
        return StockEncoder(vit, {}, f"@encoder({images})[0]", True)
    if name == "monai_resnet":
        network = {"_target_": "monai.networks.nets.ResNet", "n_input_channels": 1, "feed_forward": False} | flat
        layers = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
        definition = f"$torch.nn.Sequential({', '.join(f'@network.{layer}' for layer in layers)})"
    else:
        network = {"_target_": "monai.networks.nets.DenseNet121", "in_channels": 1, "out_channels": 2} | flat
        definition = "$@network.features"
    return StockEncoder(definition, {"network": network}, f"@encoder({images}).flatten(2).mT", False)


def last_block(encoder: nn.Module) -> tuple[str, str]:
    """Return the name prefixes of an encoder's last transformer block and of the norm after it."""
    config = getattr(encoder, "config", None)
    path, norm = ("blocks", "norm") if config is None else TRANSFORMERS[config.model_type]
    return f"{path}.{len(encoder.get_submodule(path)) - 1}.", f"{norm}."  # type: ignore[arg-type]


def fill_untrained(encoder: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors, with zeros for the parts of a stock class that were never trained.

    If the file lacked a pooler, loading would draw its weights at random, and its output would look valid.

    Raises:
        RuntimeError: another tensor is missing, or a tensor has no place.
    """
    expected = encoder.state_dict()
    lacking = [name for name in expected if name not in tensors]
    wrong = [name for name in lacking if not any(part in name for part in UNTRAINED)] + sorted(
        tensors.keys() - expected
    )
    if wrong:
        raise RuntimeError(f"the stock class of this encoder differs from what was trained: {wrong[:3]}")
    return dict(tensors) | {name: expected[name].zero_() for name in lacking}


def stock_text_encoder(config: Any) -> nn.Module:
    """Return the complete Hugging Face text encoder of a configuration, with untrained weights."""
    return drawn(config).eval()
