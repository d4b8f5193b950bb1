"""The tensors of a network in torchvision's layout, and the scale of grey values that it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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


def torchvision_state(folder: DownloadedFolder) -> CheckpointState | None:
    """The tensors of a folder with one file of weights; None for a folder with none, or with several."""
    single = sorted(file.name for suffix in PICKLED for file in folder.path.glob(suffix))
    names = (*LIBRARY_FILES, *(single if len(single) == 1 else ()))
    return read_state(folder, names) if any((folder.path / name).is_file() for name in names) else None


def below_prefix(state: CheckpointState, first: str) -> CheckpointState | None:
    """The tensors without what stands before the name of the first layer; None if there is no such layer, or two."""
    prefixes = [name.removesuffix(first) for name in state.tensors if name == first or name.endswith(f".{first}")]
    if len(prefixes) != 1:
        return None
    return CheckpointState(
        {name.removeprefix(prefixes[0]): tensor for name, tensor in state.tensors.items()}, state.files
    )


def stated_scale(folder: DownloadedFolder, state: CheckpointState, channels: int) -> tuple[dict[str, Any], list[str]]:
    """The settings of the image processor, and a note if they follow from the tensors alone.

    Raises:
        InputError: if nothing says which scale of grey values the network takes, or its channels are not one to three.
    """
    folder.require(1 <= channels <= 3, "have one to three channels", got=channels, remedy="Choose another model.")
    processor = folder.processor()
    known = bool(processor) or (channels == 1 and XRAY_VISION_MARK in state.tensors)
    folder.require(known, SCALE_RULE, got=", ".join(parts_of(state.tensors)), remedy=SCALE_REMEDY)
    return (processor, []) if processor else (XRAY_VISION, [XRAY_NOTE])


def normed(tensors: Mapping[str, Tensor], name: str, hidden: Tensor) -> Tensor:
    """Batch norm with the statistics of training."""
    mean, variance, weight, bias = (tensors[name + part] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(hidden, mean, variance, weight, bias, eps=EPSILON)
