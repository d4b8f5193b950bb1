"""A small DenseNet with the modules, and so with the names of tensors, of torchvision and torchxrayvision."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """A layer of torchvision's DenseNet."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(width), nn.Conv2d(width, 16, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(16), nn.Conv2d(16, 4, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv2(self.norm2(self.conv1(self.norm1(x).relu())).relu())], 1)


def dense_net(channels: int = 1) -> nn.Sequential:
    """``features`` of torchvision's DenseNet with two blocks, and statistics that are not those of a new one."""
    torch.manual_seed(3)

    def named(width: int, layers: int) -> nn.Sequential:
        return nn.Sequential(OrderedDict((f"denselayer{n + 1}", DenseLayer(width + 4 * n)) for n in range(layers)))

    transition = [("norm", nn.BatchNorm2d(16)), ("relu", nn.ReLU()), ("conv", nn.Conv2d(16, 8, 1, bias=False))]
    parts = [
        ("conv0", nn.Conv2d(channels, 8, 7, 2, 3, bias=False)),
        ("norm0", nn.BatchNorm2d(8)),
        ("relu0", nn.ReLU()),
        ("pool0", nn.MaxPool2d(3, 2, 1)),
        ("denseblock1", named(8, 2)),
        ("transition1", nn.Sequential(OrderedDict([*transition, ("pool", nn.AvgPool2d(2, 2))]))),
        ("denseblock2", named(8, 3)),
        ("norm5", nn.BatchNorm2d(20)),
    ]
    features = nn.Sequential(OrderedDict(parts)).train()
    features(torch.randn(4, channels, 32, 32) * 500)
    for name, parameter in features.named_parameters():
        if "norm" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    return features.eval()


def download(folder: Path, *, channels: int = 1, file: str = "model.safetensors", marked: bool = True) -> nn.Sequential:
    """A folder in the layout of torchxrayvision's models, or, not ``marked``, of any other DenseNet."""
    folder.mkdir()
    features = dense_net(channels)
    state = {f"features.{name}": tensor for name, tensor in features.state_dict().items()}
    state |= {"classifier.weight": torch.ones(18, 20)} | ({"op_threshs": torch.ones(18)} if marked else {})
    save_file(state, folder / file) if file.endswith("safetensors") else torch.save(state, folder / file)
    return features
