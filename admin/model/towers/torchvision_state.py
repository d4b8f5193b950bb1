"""The tensors of a network in torchvision's layout, and the scale of grey values that it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn import functional

from admin.model.towers.checkpoint_state import LIBRARY_FILES, CheckpointState, read_state
from admin.model.towers.downloaded_folder import DownloadedFolder
from admin.model.towers.picked_tower import parts_of

PICKLED = ("*.pt", "*.pth", "*.pth.tar")
XRAY_VISION_MARK = "op_threshs"
"""A tensor that only torchxrayvision's pretrained models have: their operating points."""
XRAY_VISION = {"rescale_factor": 1 / 255, "image_mean": [0.5], "image_std": [1 / 2048]}
"""Grey values from -1,024 to 1,024."""
SCALE_RULE = f"have a preprocessor_config.json, or one channel and torchxrayvision's {XRAY_VISION_MARK}"
SCALE_REMEDY = (
    "Write the scale of its training to preprocessor_config.json, "
    f"for a model that was trained as torchxrayvision's are {json.dumps(XRAY_VISION)}."
)
XRAY_NOTE = "no preprocessor_config.json: grey values from -1,024 to 1,024, as torchxrayvision's models take them"
EPSILON = 1e-5


class NetworkState(NamedTuple):
    """A checkpoint whose network may lie inside another module.

    Attributes:
        tensors: of the network, by their names in it.
        outside: names of the other tensors.
        files: that all came from.
    """

    tensors: dict[str, Tensor]
    outside: tuple[str, ...]
    files: tuple[str, ...]


def torchvision_state(folder: DownloadedFolder) -> CheckpointState | None:
    """The tensors of a folder with one file of weights; None for a folder with none, or with several."""
    single = sorted(file.name for suffix in PICKLED for file in folder.path.glob(suffix))
    names = (*LIBRARY_FILES, *(single if len(single) == 1 else ()))
    return read_state(folder, names) if any((folder.path / name).is_file() for name in names) else None


def below_prefix(state: CheckpointState, first: str) -> NetworkState | None:
    """The tensors beside the first layer, without the prefix of its name; None if there is no such layer, or two."""
    prefixes = [name.removesuffix(first) for name in state.tensors if name == first or name.endswith(f".{first}")]
    if len(prefixes) != 1:
        return None
    (prefix,) = prefixes
    inside = {name.removeprefix(prefix): own for name, own in state.tensors.items() if name.startswith(prefix)}
    return NetworkState(inside, tuple(name for name in state.tensors if not name.startswith(prefix)), state.files)


def require_convolutions(folder: DownloadedFolder, tensors: Mapping[str, Tensor], names: Iterable[str]) -> None:
    """An error unless each of these tensors has the four dimensions of a convolution, and at least one number.

    Raises:
        InputError: for a damaged download.
    """
    odd = [name for name in names if name not in tensors or tensors[name].ndim != 4 or not tensors[name].numel()]
    got = f"no {odd[:3]} with four dimensions"
    folder.require(not odd, "have all its weights", got=got, remedy="Download it again.")


def stated_scale(folder: DownloadedFolder, state: NetworkState, channels: int) -> tuple[dict[str, Any], list[str]]:
    """The settings of the image processor, and a note if they follow from the tensors alone.

    Raises:
        InputError: if nothing says which scale of grey values the network takes, or its channels are not one to three.
    """
    folder.require(1 <= channels <= 3, "have one to three channels", got=channels, remedy="Choose another model.")
    processor = folder.processor()
    names = [*state.tensors, *state.outside]
    known = bool(processor) or (channels == 1 and XRAY_VISION_MARK in names)
    folder.require(known, SCALE_RULE, got=", ".join(parts_of(names)), remedy=SCALE_REMEDY)
    return (processor, []) if processor else (XRAY_VISION, [XRAY_NOTE])


def normed(tensors: Mapping[str, Tensor], name: str, hidden: Tensor) -> Tensor:
    """Batch norm with the statistics of training."""
    mean, variance, weight, bias = (tensors[name + part] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(hidden, mean, variance, weight, bias, eps=EPSILON)
