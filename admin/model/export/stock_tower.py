"""Both towers built from modules of other libraries only; the formats are written from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monai.bundle import ConfigParser
from torch import nn

from admin.model.export.stock_encoder import (
    StockEncoder,
    fill_untrained,
    hugging_face_encoder,
    last_block,
    monai_encoder,
    stock_text_encoder,
)
from admin.model.export.stock_pooling import pooled_image, pooling_part
from fedaid.models.configuration import FLAGS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.image_tower import MONAI
from fedaid.models.pixel_scale import MEAN, STD, PixelScale, ScaledPixels
from fedaid.models.tower import NoBlock

IMPORTS = ("$import torch", "$import transformers")


@dataclass(frozen=True)
class StockTower:
    """A tower of stock modules with its weights, in evaluation mode.

    Attributes:
        encoder: the whole encoder, including its last transformer block if it has one.
        head: the modules after the encoder: ``projection``; if the encoder has no transformer block, ``position``,
            ``block`` and ``norm`` before it.
        definition: MONAI's configuration of the head, and for an image tower also of the encoder.
    """

    encoder: nn.Module
    head: nn.ModuleDict
    definition: Mapping[str, Any]


def image_definition(model: DualEncoder) -> tuple[StockEncoder, dict[str, Any]]:
    """Return MONAI's configuration of the image tower: ``network_def`` maps images to embeddings, on one device.

    ``embed`` takes images of any device. The surrounding configuration must define ``device``.
    """
    stock = stock_image_encoder(model)
    definition = dict(stock.parts) | {"encoder": stock.definition}
    modules, features = ["encoder"], stock.tokens
    if not stock.holds_last_block:
        definition |= block_definition(model.image["alignment"].block)
        modules += ["position", "block", "norm"]
        features = f"@norm(@block({features} + @position.weight))"
    definition["projection"] = projection_definition(model.image["alignment"].projection)
    definition["features"] = f"$lambda images: {features}"
    pooled = pooled_image(model, features)
    embeddings = f"torch.nn.functional.normalize(@projection({pooled}), dim=-1)"
    definition["network_def"] = network_definition([*modules, "projection"], embeddings)
    definition["embed"] = "$lambda images: @network_def(images.to(@device))"
    return stock, definition


def network_definition(modules: Sequence[str], output: str) -> str:
    """Return an expression: a ``ModuleDict`` of these modules whose ``forward`` computes ``output`` of ``images``.

    The class is made in the expression, so MONAI's tools can call the network and the bundle needs no file of code.
    """
    forward = re.sub(r"@(\w+)", r"net['\1']", output)
    parts = ", ".join(f"'{name}': @{name}" for name in modules)
    return f"$type('ImageTower', (torch.nn.ModuleDict,), {{'forward': lambda net, images: {forward}}})({{{parts}}})"


def stock_image_encoder(model: DualEncoder) -> StockEncoder:
    """Return the stock encoder of a model's image tower."""
    name = model.configuration["image_encoder"]["name"]
    if name not in MONAI:
        return hugging_face_encoder(backbone_config(model.image), image_scale(model))
    options = {k: v for k, v in model.configuration["image_encoder"].items() if k not in ("name", *FLAGS, MEAN, STD)}
    return monai_encoder(name, options, model.configuration["image_size"], scale=image_scale(model))


def image_scale(model: DualEncoder) -> PixelScale | None:
    """Return the scale of grey values that the image encoder takes; None for [-1, 1]."""
    module = getattr(model.image["encoder"], "scale", None)
    return module.scale if isinstance(module, ScaledPixels) else None


def backbone_config(tower: Any) -> Any:
    """Return the Hugging Face configuration of a tower's encoder with all its layers."""
    return tower["encoder"].backbone.config


def block_definition(block: Any) -> dict[str, Any]:
    """Return the appended block as torch modules; an ``Embedding`` has the learned positions."""
    _, tokens, width = block.position.shape
    layer: nn.TransformerEncoderLayer = block.layer
    return {
        "position": {"_target_": "torch.nn.Embedding", "num_embeddings": tokens, "embedding_dim": width},
        "block": {
            "_target_": "torch.nn.TransformerEncoderLayer",
            "d_model": width,
            "nhead": layer.self_attn.num_heads,
            "dim_feedforward": layer.linear1.out_features,
            "dropout": 0.0,
            "activation": "gelu",
            "batch_first": True,
            "norm_first": True,
        },
        "norm": norm_definition(block.norm, width),
    }


def norm_definition(norm: nn.Module, width: int) -> dict[str, Any]:
    """Return the norm after an appended block; a pretrained encoder has none."""
    if isinstance(norm, nn.Identity):
        return {"_target_": "torch.nn.Identity"}
    return {"_target_": "torch.nn.LayerNorm", "normalized_shape": width}


def projection_definition(projection: Any) -> str:
    """Return the projection head as an expression."""
    first, last = projection[0], projection[2]
    linear = "torch.nn.Linear({0.in_features}, {0.out_features})"
    return f"$torch.nn.Sequential({linear.format(first)}, torch.nn.GELU(), {linear.format(last)})"


def stock_image_tower(model: DualEncoder) -> StockTower:
    """Return the image tower of a model without adapters."""
    stock, definition = image_definition(model)
    network: nn.ModuleDict = built(definition, "network_def")
    encoder = network.pop("encoder")
    names = renamings(last_block(encoder) if stock.holds_last_block else None, pooling=pooling_part(model))
    return filled_tower(model.image, encoder, head=network, names=names, definition=definition)


def stock_text_tower(model: DualEncoder) -> StockTower:
    """Return the text tower of a model without adapters."""
    encoder = stock_text_encoder(backbone_config(model.text))
    definition = {"projection": projection_definition(model.text["alignment"].projection)}
    head = nn.ModuleDict({"projection": built(definition, "projection")})
    whole = not isinstance(model.text["alignment"].block, NoBlock)
    return filled_tower(
        model.text, encoder, head=head, names=renamings(last_block(encoder) if whole else None), definition=definition
    )


def built(definition: Mapping[str, Any], name: str) -> Any:
    """Build one part of a configuration with MONAI and return it."""
    return ConfigParser({"imports": list(IMPORTS)} | dict(definition)).get_parsed_content(name)


def filled_tower(
    tower: nn.Module,
    encoder: nn.Module,
    *,
    head: nn.ModuleDict,
    names: list[tuple[str, str]],
    definition: Mapping[str, Any],
) -> StockTower:
    """Load a tower's weights into the stock modules and return them."""
    tensors = {renamed(name, names): tensor for name, tensor in tower.state_dict().items()}
    tensors = {n: t[0] if n == "position.weight" else t for n, t in tensors.items()}
    inside = {name.removeprefix("encoder."): t for name, t in tensors.items() if name.startswith("encoder.")}
    encoder.load_state_dict(fill_untrained(encoder, inside), strict=True)
    head.load_state_dict({name: t for name, t in tensors.items() if not name.startswith("encoder.")}, strict=True)
    return StockTower(encoder.eval(), head.eval(), definition)


def renamings(block: tuple[str, str] | None, *, pooling: str | None = None) -> list[tuple[str, str]]:
    """Return pairs of old and new name prefixes; the first match applies.

    Args:
        block: name prefixes of the stock encoder's last block and of the norm after it; None if it has none.
        pooling: name of the stock encoder's layer that belongs to the pooling.
    """
    layer, norm = ("block.", "norm.") if block is None else (f"encoder.{block[0]}", f"encoder.{block[1]}")
    return [
        ("encoder.backbone.", "encoder."),
        ("encoder.network.", "encoder."),
        ("encoder.norm.", "encoder.layernorm."),
        ("alignment.block.position", "position.weight"),
        ("alignment.block.layer.", layer),
        ("alignment.block.norm.", norm),
        ("alignment.pooling.after.", f"encoder.{pooling}."),
        ("alignment.projection.", "projection."),
    ]


def renamed(name: str, names: list[tuple[str, str]]) -> str:
    """Return a tensor's name in the stock modules.

    Raises:
        RuntimeError: the stock modules have no place for the tensor.
    """
    for old, new in names:
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise RuntimeError(f"the stock modules have no place for {name}")
