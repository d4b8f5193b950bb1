"""Hugging Face backbones from a configuration or a local folder, cut before their last block.

Nothing is downloaded: a model is a configuration, or a folder below ``$FEDAID_MODELS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig

from fedaid.errors import InputError, closest, require
from fedaid.models.local_folder import local_file, remedy_for

# model_type → (path of the list of transformer layers, name of the norm after them)
TRANSFORMERS = {
    "vit": ("layers", "layernorm"),
    "dinov2": ("encoder.layer", "layernorm"),
    "bert": ("encoder.layer", None),
    "roberta": ("encoder.layer", None),
    "electra": ("encoder.layer", None),
    "distilbert": ("transformer.layer", None),
}
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
    known = option_names(type(AutoConfig.for_model(model_type)))
    for name in options:
        rule, remedy = f"be one that {model_type} has", closest(name, known)
        require(name in known, "encoder option", rule, got=repr(name), where=WHERE, remedy=remedy)
    return AutoConfig.for_model(model_type, **options)


def local_options(name: str) -> dict[str, Any]:
    """All options of a local model as plain JSON, to build it on another machine without the folder.

    Options that equal a default are listed too, because a preset has other defaults.
    """
    config = AutoConfig.from_pretrained(local_directory(name), local_files_only=True, trust_remote_code=False)
    given, known = config.to_dict(), option_names(type(config))
    return {"name": config.model_type} | {option: given[option] for option in known if option in given}


def new_backbone(model_type: str, options: Mapping[str, Any], *, weights: Path | None = None) -> nn.Module:
    """A backbone in float32, without its unused parts.

    Args:
        model_type: of Hugging Face.
        options: of its configuration.
        weights: folder with ``model.safetensors``; None draws the weights by ``torch``'s generator.

    Raises:
        InputError: for an unknown option, or a folder that lacks weights in safetensors.
    """
    config = new_config(model_type, options)
    backbone: nn.Module = AutoModel.from_config(config) if weights is None else loaded_backbone(config, weights)
    return without_unused(backbone)


def loaded_backbone(config: Any, folder: Path) -> nn.Module:
    """The backbone of a local folder.

    ``transformers`` would draw missing weights at random, and load adapters from any place that the folder names, even
    pickled ones. Both are errors here.
    """
    where, missing = f"$FEDAID_MODELS/{folder.name}", ["model.safetensors"]
    rule, remedy = "be a model without adapters of its own", "Merge them into its weights, with peft, and save it anew."
    adapted = (folder / "adapter_config.json").exists()
    require(not adapted, "encoder", rule, got="adapter_config.json", where=where, remedy=remedy)
    if (folder / "model.safetensors").is_file() or (folder / "model.safetensors.index.json").is_file():
        backbone, report = AutoModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="float32",
            output_loading_info=True,
        )
        missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    got, remedy = f"a file without {missing[:3]}", "Convert the weights to safetensors; pickled weights are not loaded."
    require(not missing, "encoder", "have all its weights", got=got, where=where, remedy=remedy)
    loaded: nn.Module = backbone
    return loaded


def without_unused(backbone: nn.Module) -> nn.Module:
    """The backbone without pooler and mask token, which are not used and would be sent for nothing."""
    pooler, embeddings = getattr(backbone, "pooler", None), getattr(backbone, "embeddings", None)
    if pooler is not None and any(True for _ in pooler.parameters()):
        setattr(backbone, "pooler", None)  # noqa: B010 (a child module may be None, unlike its annotation)
    if getattr(embeddings, "mask_token", None) is not None:
        setattr(embeddings, "mask_token", None)  # noqa: B010 (as above)
    return backbone


def take_norm(backbone: nn.Module, name: str | None) -> nn.Module | None:
    """Removes the final norm from the backbone, which gets an identity instead, and returns it."""
    if name is None:
        return None
    norm: nn.Module = getattr(backbone, name)
    setattr(backbone, name, nn.Identity())
    return norm


def cut_last_block(backbone: nn.Module) -> tuple[nn.Module, nn.Module, nn.Module | None]:
    """Removes the last transformer layer and the norm after it; returns (backbone, layer, norm)."""
    path, norm_name = TRANSFORMERS[backbone.config.model_type]  # type: ignore[union-attr, index]
    layers = backbone.get_submodule(path)
    layer = layers[-1]  # type: ignore[index]
    del layers[-1]  # type: ignore[operator]
    return backbone, layer, take_norm(backbone, norm_name)


def checkpoint_encoders(model: nn.Module) -> None:
    """Turns on gradient checkpointing: an encoder stores only the input of each block and computes the rest again.

    The same dropout is applied again, so the gradients do not change.

    Raises:
        InputError: if no encoder supports it.
    """
    able = [module for module in model.modules() if getattr(module, "supports_gradient_checkpointing", False)]
    rule, remedy = "be false for encoders that cannot do it", "Use a Hugging Face encoder, or micro_batch_size."
    require(bool(able), "gradient_checkpointing", rule, got="true", where=WHERE, remedy=remedy)
    for backbone in able:
        backbone.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
