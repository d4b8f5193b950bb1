"""A network of MONAI in a local folder: its options in ``config.json``, its state in ``model.safetensors``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fedaid.errors import InputError, require
from fedaid.models.local_folder import read_json

if TYPE_CHECKING:
    from torch import nn

MONAI_OPTIONS = {
    "monai_densenet121": ("in_channels", "init_features", "growth_rate", "block_config", "bn_size", "dropout_prob"),
    "monai_resnet": (
        "n_input_channels",
        "block",
        "layers",
        "block_inplanes",
        "conv1_t_size",
        "conv1_t_stride",
        "no_max_pool",
        "shortcut_type",
        "bias_downsample",
    ),
}
"""Networks that take weights of a folder, and the options of their configuration."""
MONAI_CHANNELS = {"monai_densenet121": "in_channels", "monai_resnet": "n_input_channels"}
"""The option that says how many channels a network has; without it, one."""
MONAI_HEADS = ("class_layers.", "fc.")
"""Parts that are not used."""
MONAI_WEIGHTS = "model.safetensors"
MONAI_REMEDY = "Save the network's state_dict with safetensors, and its options in config.json."


def monai_channels(name: str, options: Mapping[str, Any]) -> int:
    """The number of channels of a network; a grey image is repeated for each."""
    return int(options.get(MONAI_CHANNELS.get(name, ""), 1))


def monai_options(folder: Path) -> dict[str, Any] | None:
    """Name and options of the MONAI network in a folder; None if its ``model_type`` has no :data:`MONAI_OPTIONS`.

    Raises:
        InputError: for an unknown option.
    """
    given = read_json(folder / "config.json")
    name = str(given.pop("model_type", None))
    if name not in MONAI_OPTIONS:
        return None
    odd, rule = sorted(given.keys() - set(MONAI_OPTIONS[name])), f"have options of {name} in config.json"
    remedy = f"Choose of {', '.join(MONAI_OPTIONS[name])}."
    require(not odd, "image_encoder", rule, got=odd, where=_where(folder), remedy=remedy)
    return {"name": name} | given


def fill(network: nn.Module, folder: Path | None) -> None:
    """Load the weights of a folder into a network; without a folder, it stays as it is.

    Raises:
        InputError: for damaged, missing, superfluous or misshapen weights, or values that are not finite.
    """
    if folder is None:
        return
    from safetensors import SafetensorError
    from safetensors.torch import load_file  # imports torch, and a vocabulary does not need it

    try:
        tensors = load_file(folder / MONAI_WEIGHTS)
        report = network.load_state_dict(tensors, strict=False)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            "image_encoder", "have weights that fit", got=reason, where=_where(folder), remedy=MONAI_REMEDY
        ) from error
    checks = (("have all its weights", "no", report.missing_keys), ("have no others", "also", report.unexpected_keys))
    for rule, word, names in checks:
        odd = [name for name in names if not name.startswith(MONAI_HEADS) and not name.endswith("num_batches_tracked")]
        require(not odd, "image_encoder", rule, got=f"{word} {odd[:3]}", where=_where(folder), remedy=MONAI_REMEDY)
    broken = next((name for name, tensor in tensors.items() if not tensor.isfinite().all()), None)
    got = f"NaN or infinity in {broken}"
    require(broken is None, "image_encoder", "have finite weights", got=got, where=_where(folder), remedy=MONAI_REMEDY)


def _where(folder: Path) -> str:
    return f"$FEDAID_MODELS/{folder.name}"
