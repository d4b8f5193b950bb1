"""A tower's encoder as a class of another library, whole again: with the last block that the alignment module holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import AutoModel

from fedaid.models.hugging_face import TRANSFORMERS

UNTRAINED = ("pooler.", "embeddings.mask_token", "norm_cross_attn.")


@dataclass(frozen=True)
class StockEncoder:
    """An encoder that no code of this project is needed for.

    Attributes:
        definition: how MONAI's configuration builds it: ``_target_`` and arguments, or an expression.
        parts: what ``definition`` refers to, by name.
        tokens: expression of ``@encoder`` and ``images`` that gives features (B, T, F).
        holds_last_block: whether it has the alignment module's block inside.
    """

    definition: Any
    parts: Mapping[str, Any]
    tokens: str
    holds_last_block: bool


def hugging_face_encoder(config: Any) -> StockEncoder:
    """The encoder of a Hugging Face vision configuration; it takes its channels from a grey image."""
    target = {"_target_": "transformers.AutoConfig.for_model"} | config.to_diff_dict()
    definition = {"_target_": "transformers.AutoModel.from_config", "config": "@encoder_config"}
    images = "images" if config.num_channels == 1 else f"images.expand(-1, {config.num_channels}, -1, -1)"
    tokens = f"@encoder({images}).last_hidden_state"
    if config.model_type in ("resnet", "convnext"):
        tokens += ".flatten(2).mT"
    if config.model_type == "convnext":
        tokens = f"@encoder.layernorm({tokens})"
    return StockEncoder(definition, {"encoder_config": target}, tokens, config.model_type in TRANSFORMERS)


def monai_encoder(name: str, options: Mapping[str, Any], image_size: int) -> StockEncoder:
    """The encoder of one of MONAI's networks, without its classification layers."""
    flat = dict(options) | {"spatial_dims": 2}
    if name == "monai_vit":
        vit = {"_target_": "monai.networks.nets.ViT", "in_channels": 1, "img_size": [image_size, image_size]} | flat
        return StockEncoder(vit, {}, "@encoder(images)[0]", True)
    if name == "monai_resnet":
        network = {"_target_": "monai.networks.nets.ResNet", "n_input_channels": 1, "feed_forward": False} | flat
        layers = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
        definition = f"$torch.nn.Sequential({', '.join(f'@network.{layer}' for layer in layers)})"
    else:
        network = {"_target_": "monai.networks.nets.DenseNet121", "in_channels": 1, "out_channels": 2} | flat
        definition = "$@network.features"
    return StockEncoder(definition, {"network": network}, "@encoder(images).flatten(2).mT", False)


def last_block(encoder: nn.Module) -> tuple[str, str]:
    """Where the names of an encoder's last transformer block, and of the norm after it, begin."""
    config = getattr(encoder, "config", None)
    path, norm = ("blocks", "norm") if config is None else TRANSFORMERS[config.model_type]
    return f"{path}.{len(encoder.get_submodule(path)) - 1}.", f"{norm}."  # type: ignore[arg-type]


def fill_untrained(encoder: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, and zeros for the parts of a stock class that were never trained.

    A pooler that the file lacked would be drawn at random wherever it is loaded, and its output would look like one.

    Raises:
        RuntimeError: if anything else is missing or too much.
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
    """The whole Hugging Face text encoder of a configuration, its weights still to be loaded."""
    encoder: nn.Module = AutoModel.from_config(config)
    return encoder.eval()
