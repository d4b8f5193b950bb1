"""DenseNet121 in torchvision's layout, such as torchxrayvision's, as MONAI's network of the same layers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from admin.model.towers.checkpoint_state import LIBRARY_FILES, CheckpointState, read_state
from admin.model.towers.downloaded_folder import DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, PickedTower, parts_of
from fedaid.models.tower import as_tokens

XRAY_VISION_MARK = "op_threshs"
"""A tensor that only torchxrayvision's pretrained models have: their operating points."""
FIRST = "features.denseblock1.denselayer1.norm1.weight"
LAYER = re.compile(r"(features\.denseblock\d+\.denselayer\d+)\.(.*)")
OLD_NAME = re.compile(r"\.(norm|conv)\.([12])\.")
XRAY_VISION = {"rescale_factor": 1 / 255, "image_mean": [0.5], "image_std": [1 / 2048]}
"""Grey values from -1,024 to 1,024."""
SCALE_RULE = f"have a preprocessor_config.json, or torchxrayvision's {XRAY_VISION_MARK}"
SCALE_REMEDY = (
    "Write the scale of its training to preprocessor_config.json, "
    f"for a model that was trained as torchxrayvision's are {json.dumps(XRAY_VISION)}."
)
XRAY_NOTE = "no preprocessor_config.json: grey values from -1,024 to 1,024, as torchxrayvision's models take them"
BLOCK, EPSILON = "features.denseblock{}.", 1e-5


@dataclass(frozen=True)
class MonaiWeights:
    """The folder of a MONAI network.

    Attributes:
        config: ``model_type`` and options.
        tensors: by MONAI's names.
    """

    config: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def save_pretrained(self, folder: Path) -> None:
        """Write both."""
        (folder / "config.json").write_text(json.dumps(self.config, indent=1) + "\n", encoding="utf-8")
        save_file({name: tensor.contiguous() for name, tensor in self.tensors.items()}, folder / "model.safetensors")


def dense_net_state(folder: DownloadedFolder) -> CheckpointState | None:
    """The tensors of a folder, if they are those of a DenseNet in torchvision's layout; None for other folders."""
    single = sorted(file.name for suffix in ("*.pt", "*.pth") for file in folder.path.glob(suffix))
    names = (*LIBRARY_FILES, *(single if len(single) == 1 else ()))
    if not any((folder.path / name).is_file() for name in names):
        return None
    state = read_state(folder, names)
    tensors = {OLD_NAME.sub(r".\1\2.", name): tensor for name, tensor in state.tensors.items()}
    return CheckpointState(tensors, state.files) if FIRST in tensors else None


def dense_net_tower(folder: DownloadedFolder, state: CheckpointState) -> PickedTower:
    """The convolutional part of the network.

    Raises:
        InputError: if it does not have one channel, or nothing says which scale of grey values it takes.
    """
    tensors = {name: tensor.float() for name, tensor in state.tensors.items() if name.startswith("features.")}
    channels = tensors["features.conv0.weight"].shape[1] if "features.conv0.weight" in tensors else 0
    rule, remedy = "have one channel", "Use a model of transformers for colour channels."
    folder.require(channels == 1, rule, got=channels, remedy=remedy)
    processor = folder.processor()
    stated = bool(processor) or XRAY_VISION_MARK in state.tensors
    folder.require(stated, SCALE_RULE, got=", ".join(parts_of(state.tensors)), remedy=SCALE_REMEDY)
    first = [f"{BLOCK.format(1)}denselayer1.{part}.weight" for part in ("conv1", "conv2")]
    missing = [name for name in first if name not in tensors]
    folder.require(not missing, "have all its weights", got=f"no {missing}", remedy="Download it again.")
    blocks, (bottleneck, growth) = blocks_of(tensors), [len(tensors[name]) for name in first]
    options = {
        "init_features": len(tensors["features.conv0.weight"]),
        "growth_rate": growth,
        "block_config": blocks,
        "bn_size": bottleneck // growth,
    }

    def reference(pixels: Tensor) -> Tensor:
        return as_tokens(features(tensors, blocks, pixels))

    renamed = {LAYER.sub(r"\1.layers.\2", name): tensor for name, tensor in tensors.items()}
    return PickedTower(
        kind=IMAGE,
        module=MonaiWeights({"model_type": "monai_densenet121"} | options, renamed),
        reference=reference,
        against="DenseNet's layers, computed from the original tensors",
        files=state.files,
        left=parts_of([name for name in state.tensors if not name.startswith("features.")]),
        processor=processor or XRAY_VISION,
        notes=() if processor else (XRAY_NOTE,),
    )


def blocks_of(tensors: Mapping[str, Tensor]) -> list[int]:
    """The number of layers of each dense block."""
    found = [re.match(r"features\.denseblock(\d+)\.denselayer(\d+)\.norm1\.weight", name) for name in tensors]
    counts: dict[int, int] = {}
    for match in found:
        if match:
            counts[int(match.group(1))] = max(counts.get(int(match.group(1)), 0), int(match.group(2)))
    return [counts[number] for number in sorted(counts)]


def features(tensors: Mapping[str, Tensor], blocks: list[int], pixels: Tensor) -> Tensor:
    """The last feature map of torchvision's DenseNet, computed from the tensors by their names."""
    hidden = functional.conv2d(pixels, tensors["features.conv0.weight"], stride=2, padding=3)
    hidden = functional.max_pool2d(normed(tensors, "features.norm0.", hidden).relu(), 3, stride=2, padding=1)
    for number, layers in enumerate(blocks, start=1):
        for layer in range(1, layers + 1):
            place = f"{BLOCK.format(number)}denselayer{layer}."
            new = functional.conv2d(normed(tensors, place + "norm1.", hidden).relu(), tensors[place + "conv1.weight"])
            new = functional.conv2d(
                normed(tensors, place + "norm2.", new).relu(), tensors[place + "conv2.weight"], padding=1
            )
            hidden = torch.cat([hidden, new], 1)
        if number < len(blocks):
            place = f"features.transition{number}."
            hidden = functional.conv2d(normed(tensors, place + "norm.", hidden).relu(), tensors[place + "conv.weight"])
            hidden = functional.avg_pool2d(hidden, 2)
    return normed(tensors, "features.norm5.", hidden)


def normed(tensors: Mapping[str, Tensor], name: str, hidden: Tensor) -> Tensor:
    """Batch norm with the statistics of training."""
    mean, variance, weight, bias = (tensors[name + part] for part in ("running_mean", "running_var", "weight", "bias"))
    return functional.batch_norm(hidden, mean, variance, weight, bias, eps=EPSILON)
