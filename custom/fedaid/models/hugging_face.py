"""Hugging Face backbones from a configuration or a local folder, cut before their last block.

Nothing is downloaded: a model is a configuration, or a folder below ``$FEDAID_MODELS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, PreTrainedConfig

from fedaid.errors import InputError, closest, require
from fedaid.models.folder.backbone_weights import UNUSED, drawn, loaded
from fedaid.models.folder.declared_type import require_readable
from fedaid.models.folder.monai_network import monai_options
from fedaid.models.local_folder import local_file, remedy_for, require_no_links

# model_type → (path of the list of transformer layers, name of the norm after them)
TRANSFORMERS = {
    "vit": ("layers", "layernorm"),
    "deit": ("layers", "layernorm"),
    "dinov2": ("encoder.layer", "layernorm"),
    "dinov2_with_registers": ("encoder.layer", "layernorm"),
    "clip_vision_model": ("encoder.layers", None),
    "siglip_vision_model": ("encoder.layers", "post_layernorm"),
    "bert": ("encoder.layer", None),
    "roberta": ("encoder.layer", None),
    "xlm-roberta": ("encoder.layer", None),
    "camembert": ("encoder.layer", None),
    "electra": ("encoder.layer", None),
    "distilbert": ("transformer.layer", None),
}
UNDECLARED = {
    "deberta-v2": (
        "attention_head_size",
        "conv_act",
        "conv_groups",
        "conv_kernel_size",
        "embedding_size",
        "norm_rel_ebd",
        "position_buckets",
        "share_att_key",
    )
}
"""Options that a backbone reads from its configuration without declaring them."""
WHERE = "model args of config_fed_server.json"


def local_directory(name: str, *, setting: str = "encoder") -> Path:
    """Return the folder that ``local:NAME`` stands for: ``$FEDAID_MODELS/NAME``.

    Args:
        name: with its prefix ``local:``.
        setting: for the message.

    Raises:
        InputError: the variable is unset, or the folder has no ``config.json``.
    """
    config = local_file(name, "config.json")
    if config is None:
        rule = "name a folder with config.json and model.safetensors below $FEDAID_MODELS"
        raise InputError(setting, rule, got=repr(name), where=WHERE, remedy=remedy_for(name, "config.json"))
    require_no_links(config.parent)
    return config.parent


def option_names(config_class: type) -> list[str]:
    """The options of a backbone that a job may set: those that not all models have, without those of decoders."""
    general = {field.name for field in fields(PreTrainedConfig)} | {"is_decoder", "add_cross_attention", "use_cache"}
    return sorted(field.name for field in fields(config_class) if field.name[0] != "_" and field.name not in general)


def new_config(model_type: str, options: Mapping[str, Any]) -> Any:
    """The configuration of a backbone.

    Raises:
        InputError: for an option that this backbone does not have; ``transformers`` would ignore it.
    """
    known = [*option_names(type(AutoConfig.for_model(model_type))), *UNDECLARED.get(model_type, ())]
    for name in options:
        rule, remedy = f"be one that {model_type} has", closest(name, known)
        require(name in known, "encoder option", rule, got=repr(name), where=WHERE, remedy=remedy)
    return AutoConfig.for_model(model_type, **options)


def local_options(name: str) -> dict[str, Any]:
    """All options of a local model as plain JSON, to build it on another machine without the folder.

    Options that equal a default are listed too, because a preset has other defaults.
    """
    folder = local_directory(name)
    require_readable(folder)
    if (monai := monai_options(folder)) is not None:
        return monai
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    given, known = config.to_dict(), [*option_names(type(config)), *UNDECLARED.get(config.model_type, ())]
    return {"name": config.model_type} | {option: given[option] for option in known if option in given}


def new_backbone(
    model_type: str, options: Mapping[str, Any], *, weights: Path | None = None, used: str | None = None
) -> nn.Module:
    """A backbone in float32, without its unused parts.

    Args:
        model_type: of Hugging Face.
        options: of its configuration.
        weights: folder with ``model.safetensors``; None draws the weights by ``torch``'s generator.
        used: name of a part in :data:`UNUSED`, or of a layer in it, that the tower's pooling uses.

    Raises:
        InputError: for an unknown option, or a folder that lacks weights in safetensors.
    """
    config = new_config(model_type, options)
    backbone: nn.Module = drawn(config) if weights is None else loaded(config, weights, used=used)
    return without_unused(backbone, used=used)


def without_unused(backbone: nn.Module, *, used: str | None = None) -> nn.Module:
    """The backbone without pooler, head and mask token, which are not used and would be sent for nothing."""
    for name, nothing in UNUSED.items():
        part = None if name == (used or "").split(".")[0] else getattr(backbone, name, None)
        if part is not None and any(True for _ in part.parameters()):
            setattr(backbone, name, nothing)
    embeddings = getattr(backbone, "embeddings", None)
    if getattr(embeddings, "mask_token", None) is not None:
        setattr(embeddings, "mask_token", None)  # noqa: B010 (a child module may be None, unlike its annotation)
    return backbone


def take_norm(backbone: nn.Module, name: str | None) -> nn.Module | None:
    """Removes the final norm from the backbone, which gets an identity instead, and returns it."""
    if name is None:
        return None
    norm: nn.Module = getattr(backbone, name)
    setattr(backbone, name, nn.Identity())
    return norm


def take_part(backbone: nn.Module, path: str | None) -> nn.Module | None:
    """Removes a layer that belongs to the pooling from the backbone, and returns it."""
    if path is None:
        return None
    part, name = backbone.get_submodule(path), path.split(".")[0]
    setattr(backbone, name, UNUSED.get(name, nn.Identity()))
    return part


def cut_last_block(backbone: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module | None]:
    """Removes the last transformer layer and the norm after it; returns (backbone, layer, norm)."""
    path, norm_name = TRANSFORMERS[backbone.config.model_type]  # type: ignore[union-attr, index]
    layers = backbone.get_submodule(path)
    layer = layers[-1]  # type: ignore[index]
    del layers[-1]  # type: ignore[operator]
    return backbone, layer, take_norm(backbone, norm_name)
