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

from admin.model.towers.checkpoint_state import CheckpointState
from admin.model.towers.downloaded_folder import DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, PickedTower, parts_of
from admin.model.towers.torchvision_state import NetworkState, below_prefix, normed, require_convolutions, stated_scale
from fedaid.models.tower import as_tokens

FIRST = "features.denseblock1.denselayer1.norm1.weight"
LAYER = re.compile(r"(features\.denseblock\d+\.denselayer\d+)\.(.*)")
OLD_NAME = re.compile(r"\.(norm|conv)\.([12])\.")
BLOCK = "features.denseblock{}."


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


def dense_net_state(state: CheckpointState) -> NetworkState | None:
    """The tensors, if they are those of a DenseNet in torchvision's layout; None for others."""
    tensors = {OLD_NAME.sub(r".\1\2.", name): tensor for name, tensor in state.tensors.items()}
    return below_prefix(CheckpointState(tensors, state.files), FIRST)


def dense_net_tower(folder: DownloadedFolder, state: NetworkState) -> PickedTower:
    """The convolutional part of the network.

    Raises:
        InputError: without its first layer, or if nothing says which scale of grey values it takes.
    """
    tensors = {name: tensor.float() for name, tensor in state.tensors.items() if name.startswith("features.")}
    first = [f"{BLOCK.format(1)}denselayer1.{part}.weight" for part in ("conv1", "conv2")]
    require_convolutions(folder, tensors, ("features.conv0.weight", *first))
    channels = tensors["features.conv0.weight"].shape[1]
    processor, notes = stated_scale(folder, state, channels)
    blocks, (bottleneck, growth) = blocks_of(tensors), [len(tensors[name]) for name in first]
    options = ({} if channels == 1 else {"in_channels": channels}) | {
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
        left=parts_of([*(name for name in state.tensors if not name.startswith("features.")), *state.outside]),
        processor=processor,
        notes=tuple(notes),
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
