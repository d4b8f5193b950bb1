"""A ResNet in torchvision's layout, as the class of transformers with the same layers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional
from transformers import ResNetConfig, ResNetModel

from admin.model.towers.checkpoint_state import CheckpointState
from admin.model.towers.downloaded_folder import DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, PickedTower, parts_of
from admin.model.towers.torchvision_state import NetworkState, below_prefix, normed, require_convolutions, stated_scale
from fedaid.models.tower import as_tokens

FIRST, SECOND = "layer1.0.conv1.weight", "conv1.weight"
BOTTLENECK = "layer1.0.conv3.weight"
"""Only a network of bottlenecks has it."""
OTHERS = {SECOND, "bn1.weight", "layer4.0.bn1.weight"}
USED = re.compile(r"(conv1|bn1|layer\d+)\.")
NAMES = (
    (re.compile(r"^conv1\."), "embedder.embedder.convolution."),
    (re.compile(r"^bn1\."), "embedder.embedder.normalization."),
    (re.compile(r"downsample\.0\."), "shortcut.convolution."),
    (re.compile(r"downsample\.1\."), "shortcut.normalization."),
)
"""Parts of torchvision's names, and those of transformers."""
LAYER = re.compile(r"^layer(\d+)\.(\d+)\.")
INSIDE = re.compile(r"\b(conv|bn)(\d)\.")
KINDS = {"conv": "convolution", "bn": "normalization"}
STRIDE_NOTE = "a bottleneck halves the image in its 3 × 3 convolution, as torchvision's do; the tensors do not say it"


def residual_net_state(state: CheckpointState) -> NetworkState | None:
    """The tensors, if they are those of a ResNet in torchvision's layout; None for others."""
    found = below_prefix(state, FIRST)
    return found if found is not None and found.tensors.keys() >= OTHERS else None


def residual_net_tower(folder: DownloadedFolder, state: NetworkState) -> PickedTower:
    """The network up to its last feature map.

    Raises:
        InputError: for missing layers, other layers, such as groups of channels, or without a scale of grey values.
    """
    tensors = {name: tensor.float() for name, tensor in state.tensors.items() if USED.match(name)}
    require_convolutions(folder, tensors, (SECOND, *last_convolutions(tensors)))
    processor, notes = stated_scale(folder, state, tensors[SECOND].shape[1])
    config = residual_net_config(tensors)
    module = ResNetModel(config).eval()
    remedy = "Choose a plain ResNet: ResNeXt, wide ResNets and others have other layers."
    try:
        report = module.load_state_dict({new_name(name): tensor for name, tensor in tensors.items()}, strict=False)
    except RuntimeError as error:
        got = " ".join(str(error).split())[:200]
        raise folder.refusal("have the layers of a ResNet", got=got, remedy=remedy) from error
    odd = [name for name in report.missing_keys if not name.endswith("num_batches_tracked")]
    odd += report.unexpected_keys
    folder.require(not odd, "have the layers of a ResNet", got=f"other tensors: {odd[:3]}", remedy=remedy)

    def reference(pixels: Tensor) -> Tensor:
        return as_tokens(feature_map(tensors, list(config.depths), pixels))

    return PickedTower(
        kind=IMAGE,
        module=module,
        reference=reference,
        against="ResNet's layers, computed from the original tensors",
        files=state.files,
        left=parts_of([*(name for name in state.tensors if not USED.match(name)), *state.outside]),
        processor=processor,
        notes=(*notes, *([STRIDE_NOTE] if config.layer_type == "bottleneck" else [])),
    )


def residual_net_config(tensors: Mapping[str, Tensor]) -> ResNetConfig:
    """The configuration that the shapes of the tensors say."""
    places = [match.groups() for name in tensors if (match := LAYER.match(name))]
    depths = [1 + max(int(block) for stage, block in places if int(stage) == number + 1) for number in range(4)]
    return ResNetConfig(
        num_channels=tensors[SECOND].shape[1],
        embedding_size=len(tensors[SECOND]),
        hidden_sizes=[len(tensors[name]) for name in last_convolutions(tensors)],
        depths=depths,
        layer_type="bottleneck" if BOTTLENECK in tensors else "basic",
        hidden_act="relu",
        downsample_in_first_stage=False,
        downsample_in_bottleneck=False,
    )


def last_convolutions(tensors: Mapping[str, Tensor]) -> list[str]:
    """The last convolution of the first block of each stage."""
    last = "conv3" if BOTTLENECK in tensors else "conv2"
    return [f"layer{number}.0.{last}.weight" for number in range(1, 5)]


def new_name(name: str) -> str:
    """The name of a tensor in transformers."""
    for old, new in NAMES:
        name = old.sub(new, name)
    name = INSIDE.sub(lambda found: f"layer.{int(found[2]) - 1}.{KINDS[found[1]]}.", name)
    return LAYER.sub(lambda found: f"encoder.stages.{int(found[1]) - 1}.layers.{found[2]}.", name)


def feature_map(tensors: Mapping[str, Tensor], depths: list[int], pixels: Tensor) -> Tensor:
    """The last feature map of torchvision's ResNet, computed from the tensors by their names."""
    hidden = functional.conv2d(pixels, tensors[SECOND], stride=2, padding=3)
    hidden = functional.max_pool2d(normed(tensors, "bn1.", hidden).relu(), 3, stride=2, padding=1)
    for number, depth in enumerate(depths, start=1):
        for block in range(depth):
            stride = 2 if number > 1 and block == 0 else 1
            hidden = residual_block(tensors, f"layer{number}.{block}.", hidden, stride=stride)
    return hidden


def residual_block(tensors: Mapping[str, Tensor], place: str, hidden: Tensor, *, stride: int) -> Tensor:
    """A basic block or a bottleneck; the first 3 × 3 convolution has the stride."""
    passed, convolutions = hidden, 3 if f"{place}conv3.weight" in tensors else 2
    if f"{place}downsample.0.weight" in tensors:
        passed = functional.conv2d(hidden, tensors[f"{place}downsample.0.weight"], stride=stride)
        passed = normed(tensors, f"{place}downsample.1.", passed)
    strided = 2 if convolutions == 3 else 1
    for number in range(1, convolutions + 1):
        weight = tensors[f"{place}conv{number}.weight"]
        step = stride if number == strided else 1
        hidden = functional.conv2d(hidden, weight, stride=step, padding=weight.shape[-1] // 2)
        hidden = normed(tensors, f"{place}bn{number}.", hidden)
        hidden = hidden.relu() if number < convolutions else hidden
    return (hidden + passed).relu()
