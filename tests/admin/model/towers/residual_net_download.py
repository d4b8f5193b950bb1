"""A small ResNet with the modules, and so with the names of tensors, of torchvision and torchxrayvision."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

DEPTHS = (1, 2, 1, 1)


class Layer(nn.Module):
    """A basic block, or a bottleneck that is four times as wide at its end."""

    def __init__(self, width: int, planes: int, *, stride: int, bottleneck: bool) -> None:
        super().__init__()
        self.bottleneck, out = bottleneck, planes * (4 if bottleneck else 1)
        first = (1, 1) if bottleneck else (3, stride)
        self.conv1 = nn.Conv2d(width, planes, first[0], first[1], first[0] // 2, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(planes), nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride if bottleneck else 1, 1, bias=False)
        if bottleneck:
            self.conv3, self.bn3 = nn.Conv2d(planes, out, 1, bias=False), nn.BatchNorm2d(out)
        if stride > 1 or width != out:
            self.downsample = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        passed = self.downsample(x) if hasattr(self, "downsample") else x
        x = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        x = self.bn3(self.conv3(x.relu())) if self.bottleneck else x
        out: Tensor = (x + passed).relu()
        return out


def residual_net(*, channels: int = 3, bottleneck: bool = False) -> nn.Sequential:
    """torchvision's ResNet up to its last feature map, with statistics that are not those of a new one."""
    torch.manual_seed(3)
    parts: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(channels, 8, 7, 2, 3, bias=False),
        "bn1": nn.BatchNorm2d(8),
        "relu": nn.ReLU(),
        "maxpool": nn.MaxPool2d(3, 2, 1),
    }
    width = 8
    for number, depth in enumerate(DEPTHS):
        planes, layers = 8 * 2**number, []
        for block in range(depth):
            stride = 2 if number and not block else 1
            layers.append(Layer(width, planes, stride=stride, bottleneck=bottleneck))
            width = planes * (4 if bottleneck else 1)
        parts[f"layer{number + 1}"] = nn.Sequential(*layers)
    network = nn.Sequential()
    for name, part in parts.items():
        network.add_module(name, part)
    network.train()(torch.randn(4, channels, 64, 64))
    for name, parameter in network.named_parameters():
        if "bn" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    return network.eval()


def download(
    folder: Path, *, channels: int = 3, bottleneck: bool = False, file: str = "resnet18.pth", prefix: str = ""
) -> nn.Sequential:
    """A folder with the ``state_dict`` of a ResNet, with its classifier; torchxrayvision's have their thresholds."""
    folder.mkdir()
    network = residual_net(channels=channels, bottleneck=bottleneck)
    state = {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}
    state |= {f"{prefix}fc.weight": torch.ones(3, 4)} | ({"op_threshs": torch.ones(18)} if prefix == "model." else {})
    save_file(state, folder / file) if file.endswith("safetensors") else torch.save(state, folder / file)
    return network
