"""Towers of a folder in the layout of transformers: one encoder, a pair, or an autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import MODEL_MAPPING, AutoConfig, ViTConfig, ViTModel

from admin.model.towers.checkpoint_state import CheckpointState, read_state
from admin.model.towers.downloaded_folder import CONFIG, DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, TEXT, PickedTower, parts_of
from fedaid.errors import InputError
from fedaid.models.configuration import IMAGE_ENCODERS, OTHERS, PAIRS, TEXT_ENCODERS
from fedaid.models.folder.backbone_weights import BARE_CLASSES, BUFFERS, UNUSED, lost
from fedaid.models.hugging_face import option_names
from fedaid.models.image_tower import CONVNEXTS, MONAI
from fedaid.models.tower import as_tokens

MASKED_AUTOENCODER = "vit_mae"
KINDS = {
    IMAGE: (*IMAGE_ENCODERS, *OTHERS["image_encoder"], MASKED_AUTOENCODER),
    TEXT: (*TEXT_ENCODERS, *OTHERS["text_encoder"]),
}
KNOWN = tuple(name for types in (*KINDS.values(), PAIRS) for name in types if name not in MONAI)
PARTS = {IMAGE: "vision_model", TEXT: "text_model"}
"""Names of the towers in a pair."""
TIMM_REMEDY = "This is a model of timm: choose one in the layout of transformers, open_clip or torchvision."
AGAINST = "transformers' own {}"
UNUSABLE = (AttributeError, TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, StrictDataclassError)
"""What transformers raises for options of a wrong kind or size."""


def library_towers(folder: DownloadedFolder) -> list[PickedTower]:
    """The towers of a folder in the layout of transformers.

    Raises:
        InputError: for an unknown type, or weights that do not fit the configuration.
    """
    model_type = known_type(folder)
    config, state = configuration(folder), read_state(folder)
    model, unexpected = whole_model(folder, config, state)
    if model_type in PAIRS:
        return pair(folder, model, state, unexpected)
    if model_type == MASKED_AUTOENCODER:
        return [masked_autoencoder(folder, model, state, unexpected)]
    kind = next(kind for kind, types in KINDS.items() if model_type in types)
    reference = image_reference(model) if kind == IMAGE else text_reference(model)
    return [picked(folder, kind, model, reference=reference, files=state.files, left=parts_of(unexpected))]


def configuration(folder: DownloadedFolder) -> Any:
    """What ``config.json`` says, as its class in transformers.

    Raises:
        InputError: for a value that this class does not take.
    """
    try:
        return AutoConfig.from_pretrained(folder.path, local_files_only=True, trust_remote_code=False)
    except UNUSABLE as error:
        raise unusable(folder, error) from error


def unusable(folder: DownloadedFolder, error: Exception) -> InputError:
    """The error for a ``config.json`` that leads transformers to this one."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return folder.refusal("have weights that fit config.json", got=reason, remedy="Correct config.json.")


def known_type(folder: DownloadedFolder) -> str:
    """The ``model_type`` of ``config.json``.

    Raises:
        InputError: if the towers of this type are not known.
    """
    model_type = str(folder.settings(CONFIG).get("model_type", ""))
    remedy = f"Choose a model of one of the types {', '.join(KNOWN)}."
    if not model_type:
        timm = "architecture" in folder.settings(CONFIG)  # timm's name for it
        remedy = TIMM_REMEDY if timm else 'Write it to config.json, for example "model_type": "bert".'
    folder.require(model_type in KNOWN, "have a known model_type in config.json", got=repr(model_type), remedy=remedy)
    return model_type


def whole_model(folder: DownloadedFolder, config: Any, state: CheckpointState) -> tuple[Any, list[str]]:
    """The model in float32 and in evaluation mode, and the names of the tensors that it does not have.

    Raises:
        InputError: if a tensor of an encoder is missing, superfluous or of another shape.
    """
    kind = BARE_CLASSES.get(config.model_type) or MODEL_MAPPING[type(config)]
    options: dict[str, Any] = {"config": config, "state_dict": dict(state.tensors), "dtype": "float32"}
    try:
        model, report = kind.from_pretrained(
            None, **options, output_loading_info=True, local_files_only=True, trust_remote_code=False
        )
    except UNUSABLE as error:
        raise unusable(folder, error) from error
    unexpected = sorted(name for name in report["unexpected_keys"] if not name.endswith(BUFFERS))
    missing = sorted(name for name in report["missing_keys"] if not set(name.split(".")[:2]) & UNUSED.keys())
    folder.require(not missing, "have all its weights", got=f"no {missing[:3]}", remedy="Download it again.")
    surplus = lost(name for name in unexpected if not name.startswith("decoder."))
    rule, remedy = "have no more in its encoder than config.json says", "Correct config.json, or choose another model."
    folder.require(not surplus, rule, got=f"also {surplus[:3]}", remedy=remedy)
    without_drawn(model, report["missing_keys"])
    return model.eval(), unexpected


def without_drawn(model: nn.Module, missing: list[str]) -> None:
    """Removes the unused parts that the checkpoint does not have: the library drew them at random."""
    for path in {name.rpartition(part)[0] + part for name in missing for part in UNUSED if part in name.split(".")}:
        parent, _, part = path.rpartition(".")
        setattr(model.get_submodule(parent), part, UNUSED[part])


def pair(folder: DownloadedFolder, model: Any, state: CheckpointState, unexpected: list[str]) -> list[PickedTower]:
    """Both towers of a pair."""
    names = [*model.state_dict(), *unexpected]
    left = parts_of([name for name in names if not name.startswith(tuple(f"{part}." for part in PARTS.values()))])
    towers = []
    for kind, part in PARTS.items():
        module = getattr(model, part)
        reference = image_reference(module) if kind == IMAGE else text_reference(module)
        towers.append(picked(folder, kind, module, reference=reference, files=state.files, left=left))
    return towers


def masked_autoencoder(
    folder: DownloadedFolder, model: Any, state: CheckpointState, unexpected: list[str]
) -> PickedTower:
    """The encoder of a masked autoencoder as a ViT, which has the same layers and no masking."""
    given = model.config.to_dict()
    config = ViTConfig(**{name: given[name] for name in option_names(ViTConfig) if name in given})
    encoder = ViTModel(config, add_pooling_layer=False).eval()
    encoder.load_state_dict(model.state_dict(), strict=True)
    model.config.mask_ratio = 0.0

    def reference(pixels: Tensor) -> Tensor:
        patches = model.embeddings.patch_embeddings.num_patches
        order = torch.arange(patches).expand(len(pixels), -1)
        hidden: Tensor = model(pixel_values=pixels, noise=order.float()).last_hidden_state
        return hidden

    return picked(folder, IMAGE, encoder, reference=reference, files=state.files, left=parts_of(unexpected))


def picked(folder: DownloadedFolder, kind: str, module: Any, **facts: Any) -> PickedTower:
    """A tower whose reference is a class of transformers."""
    processor: Mapping[str, Any] | None = folder.processor() if kind == IMAGE else None
    against = AGAINST.format(folder.settings(CONFIG)["model_type"])
    return PickedTower(kind=kind, module=module, against=against, processor=processor, **facts)


def image_reference(model: Any) -> Callable[[Tensor], Tensor]:
    """Pixels → the last hidden state as tokens; ConvNeXt's norm is meant for the pooled features."""

    def reference(pixels: Tensor) -> Tensor:
        tokens = as_tokens(model(pixel_values=pixels).last_hidden_state)
        normed: Tensor = model.layernorm(tokens) if model.config.model_type in CONVNEXTS else tokens
        return normed

    return reference


def text_reference(model: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Token ids and mask → the last hidden state; SigLIP's last real token gets that of its last position."""

    def reference(token_ids: Tensor, mask: Tensor) -> Tensor:
        if model.config.model_type == "siglip_text_model":
            rows = [full_length(ids[real]) for ids, real in zip(token_ids, mask, strict=True)]
            return torch.stack(rows)[:, : mask.shape[1]]
        hidden: Tensor = model(input_ids=token_ids, attention_mask=mask.long()).last_hidden_state
        return hidden

    def full_length(ids: Tensor) -> Tensor:
        row = torch.full((1, model.config.max_position_embeddings), model.config.pad_token_id)
        row[0, : len(ids)] = ids
        hidden: Tensor = model(input_ids=row).last_hidden_state[0]
        hidden[len(ids) - 1] = hidden[-1]
        return hidden

    return reference
