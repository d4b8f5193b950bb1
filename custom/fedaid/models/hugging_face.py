"""Hugging Face backbones: made from a configuration or a local directory, and cut before their last block.

Nothing is ever fetched: a model is a configuration, or a directory below ``$FEDAID_MODELS`` that somebody put there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModel

from fedaid.errors import InputError, require

# model_type → (path of the list of transformer layers, name of the norm after them)
TRANSFORMERS = {
    "vit": ("layers", "layernorm"),
    "dinov2": ("encoder.layer", "layernorm"),
    "bert": ("encoder.layer", None),
    "roberta": ("encoder.layer", None),
    "electra": ("encoder.layer", None),
    "distilbert": ("transformer.layer", None),
}
LOCAL = "local:"


def local_directory(name: str) -> Path:
    """The folder that ``local:NAME`` stands for: ``$FEDAID_MODELS/NAME``.

    Raises:
        InputError: if the variable is unset or the folder holds no model.
    """
    root = os.environ.get("FEDAID_MODELS", "")
    folder = Path(root) / name.removeprefix(LOCAL)
    require(
        bool(root) and (folder / "config.json").is_file(),
        "encoder",
        "name a folder with config.json and model.safetensors below $FEDAID_MODELS",
        got=name,
        where="model args of config_fed_server.json",
        remedy="Set FEDAID_MODELS on the server to the folder that holds your models.",
    )
    return folder


def local_options(name: str) -> dict[str, Any]:
    """The configuration of a local model as plain JSON, enough to build it elsewhere without the folder."""
    config = AutoConfig.from_pretrained(local_directory(name), local_files_only=True, trust_remote_code=False)
    options: dict[str, Any] = config.to_diff_dict()
    drop = {"model_type", "transformers_version", "architectures", "dtype", "torch_dtype", "_name_or_path"}
    return {"name": config.model_type} | {key: value for key, value in options.items() if key not in drop}


def new_backbone(model_type: str, options: Mapping[str, Any]) -> nn.Module:
    """A backbone with random weights from ``torch``'s current generator."""
    backbone: nn.Module = AutoModel.from_config(AutoConfig.for_model(model_type, **options))
    return without_pooler(backbone)


def local_backbone(name: str) -> nn.Module:
    """A backbone with the weights of a local directory, safetensors only, in float32."""
    folder = local_directory(name)
    try:
        backbone: nn.Module = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="float32"
        )
    except OSError as error:
        raise InputError(
            "encoder",
            "be a folder with model.safetensors",
            got=name,
            where="$FEDAID_MODELS",
            remedy="Convert the weights to safetensors; pickled weights are not loaded.",
        ) from error
    return without_pooler(backbone)


def without_pooler(backbone: nn.Module) -> nn.Module:
    """The backbone without a trained pooler, whose output nothing uses and whose weights would travel for nothing."""
    pooler = getattr(backbone, "pooler", None)
    if pooler is not None and any(True for _ in pooler.parameters()):
        setattr(backbone, "pooler", None)  # noqa: B010 (a child module may be None, its annotation does not say so)
    return backbone


def take_norm(backbone: nn.Module, name: str | None) -> nn.Module | None:
    """Takes the final norm off the backbone, leaving an identity in its place."""
    if name is None:
        return None
    norm: nn.Module = getattr(backbone, name)
    setattr(backbone, name, nn.Identity())
    return norm


def cut_last_block(backbone: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module | None]:
    """Takes the last transformer layer and the norm after it off the backbone; returns (backbone, layer, norm)."""
    path, norm_name = TRANSFORMERS[backbone.config.model_type]  # type: ignore[union-attr, index]
    layers = backbone.get_submodule(path)
    layer = layers[-1]  # type: ignore[index]
    del layers[-1]  # type: ignore[operator]
    return backbone, layer, take_norm(backbone, norm_name)
