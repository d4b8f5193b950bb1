"""The weights of a Hugging Face backbone: drawn, or read from a folder of which all is whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, SiglipTextModel

from fedaid.errors import InputError, require
from fedaid.models.local_folder import read_json
from fedaid.models.position_grid import at_size

BARE_CLASSES = {"siglip_text_model": SiglipTextModel}
"""Classes for the types that AutoModel knows as part of a pair only."""
UNUSED: dict[str, nn.Module | None] = {"pooler": None, "head": nn.Identity()}
"""Parts of a backbone after its last hidden state, and what takes their place."""
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
CONVERT = "Convert the weights to safetensors, with python -m admin tower import; pickled weights are not loaded."
INSIDE = re.compile(
    r"\blayers?\.\d|^(\w+\.)?(encoder|embeddings|layernorm|final_layer_norm|post_layernorm|pre_layrnorm)\."
)
"""Names of tensors inside an encoder."""
BUFFERS = ("position_ids", "token_type_ids", "relative_position_index", "relative_coords_table", "inv_freq")
"""Tensors of older checkpoints that the configuration gives, and that no class reads."""
MASK_TOKEN = "mask_token"  # noqa: S105 - a tensor of the model
"""What masked patches get in training; a tower sees all patches."""


def drawn(config: Any) -> nn.Module:
    """A backbone with random weights."""
    bare = BARE_CLASSES.get(config.model_type)
    backbone: nn.Module = bare._from_config(config) if bare else AutoModel.from_config(config)
    return backbone


def loaded(config: Any, folder: Path, *, used: str | None = None) -> nn.Module:
    """The backbone of a local folder.

    ``transformers`` would draw missing weights at random, leave out tensors that the configuration does not have, and
    load adapters from any place that the folder names, even pickled ones. All are errors here.

    Args:
        config: of the backbone.
        folder: with ``model.safetensors``, or shards and their index.
        used: name of a part in :data:`UNUSED`, or of a layer in it, that the tower's pooling uses.

    Raises:
        InputError: naming the first tensors.
    """
    where = f"$FEDAID_MODELS/{folder.name}"
    rule, remedy = "be a model without adapters of its own", "Merge them into its weights, with peft, and save it anew."
    adapted = (folder / "adapter_config.json").exists()
    require(not adapted, "encoder", rule, got="adapter_config.json", where=where, remedy=remedy)
    read_json(folder / INDEX)
    found = [name for name in (WEIGHTS, INDEX) if (folder / name).is_file()]
    got = f"a file without {[WEIGHTS]}"
    require(bool(found), "encoder", "have all its weights", got=got, where=where, remedy=CONVERT)
    backbone, report = at_size(config, folder, lambda own: read_weights(own, folder))
    check_names(report, where, folder=folder, used=used)
    broken = next((name for name, tensor in backbone.state_dict().items() if not tensor.isfinite().all()), None)
    rule, remedy = "have finite weights", "Copy the folder again, or save the model in float32."
    require(broken is None, "encoder", rule, got=f"NaN or infinity in {broken}", where=where, remedy=remedy)
    whole: nn.Module = backbone
    return whole


def check_names(report: Mapping[str, Iterable[str]], where: str, *, folder: Path, used: str | None) -> None:
    """An error for a tensor of the backbone that the file lacks, or one of the file that the backbone lacks."""
    unused = [part for part in UNUSED if part != (used or "").split(".")[0]]
    missing = sorted(name for name in report["missing_keys"] if name.split(".")[0] not in unused)
    got, remedy = f"a file without {missing[:3]}", "Copy it again, or save the model again with transformers."
    if used and missing and all(name.startswith(f"{used}.") for name in missing):
        remedy = f'Pool by the mean: {{"name": "local:{folder.name}", "pooling": "mean"}}.'
    require(not missing, "encoder", "have all its weights", got=got, where=where, remedy=remedy)
    surplus = lost(report["unexpected_keys"])
    rule, got, remedy = "have the layers of its config.json", f"also {surplus[:3]}", "Correct config.json."
    require(not surplus, "encoder", rule, got=got, where=where, remedy=remedy)


def lost(unexpected: Iterable[str]) -> list[str]:
    """The tensors of an encoder among those that its class does not have: its features would lack them."""
    return sorted(name for name in unexpected if INSIDE.search(name) and not name.endswith((*BUFFERS, MASK_TOKEN)))


def read_weights(config: Any, folder: Path) -> tuple[Any, dict[str, Any]]:
    """The backbone and what ``transformers`` reports on the names in the file.

    Raises:
        InputError: for a damaged file.
    """
    try:
        return BARE_CLASSES.get(config.model_type, AutoModel).from_pretrained(  # type: ignore[no-any-return]
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="float32",
            output_loading_info=True,
        )
    except (SafetensorError, OSError) as error:
        reason = "a missing file" if isinstance(error, OSError) else f"a damaged file ({error})"
        got, where = reason, f"$FEDAID_MODELS/{folder.name}/{WEIGHTS}"
        raise InputError("encoder", "have whole weights", got=got, where=where, remedy="Copy it again.") from error
    except RuntimeError as error:
        rule, where = "have weights of the sizes in its config.json", f"$FEDAID_MODELS/{folder.name}"
        raise InputError("encoder", rule, got="other sizes", where=where, remedy="Correct config.json.") from error
