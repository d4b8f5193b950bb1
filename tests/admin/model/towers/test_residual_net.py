"""A ResNet of torchvision becomes that of transformers, with its features."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from tests.admin.model.towers.imported import image_features
from tests.admin.model.towers.residual_net_download import download
from tests.models.published_encoders import IMAGENET


def state_scale(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": IMAGENET[0], "image_std": IMAGENET[1]}))


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_resnet_of_torchvision_has_its_features(bottleneck: bool, tmp_path: Path, models: Path) -> None:
    network = download(tmp_path / "hub", bottleneck=bottleneck)
    state_scale(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", models / "net").values()
    assert (facts["model_type"], facts["channels"], facts["cosine"], facts["left"]) == ("resnet", 3, 1.0, ["fc"])
    images, (mean, std) = torch.rand(2, 1, 32, 32) * 2 - 1, (torch.tensor(v)[:, None, None] for v in IMAGENET)
    with torch.no_grad():
        expected = network(((images + 1) / 2 - mean) / std).flatten(2).mT
        torch.testing.assert_close(image_features("net", images), expected, atol=1e-5, rtol=1e-5)


def test_a_resnet_of_torchxrayvision_has_its_scale(tmp_path: Path, models: Path) -> None:
    network = download(tmp_path / "hub", channels=1, prefix="model.", file="model.safetensors")
    (facts,) = import_towers(tmp_path / "hub", models / "net").values()
    assert (facts["pixel_mean"], facts["notes"][0][:28]) == ([0.5], "no preprocessor_config.json:")
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        expected = network(images * 1024).flatten(2).mT
        torch.testing.assert_close(image_features("net", images), expected, atol=1e-3, rtol=1e-5)


def test_its_scale_is_not_guessed(tmp_path: Path) -> None:
    download(tmp_path / "hub")
    with pytest.raises(InputError, match=r"have a preprocessor_config\.json, or one channel and torchxrayvision's"):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_a_relative_with_other_layers_is_refused(tmp_path: Path) -> None:
    download(tmp_path / "hub", bottleneck=True)
    state_scale(tmp_path / "hub")
    state = torch.load(tmp_path / "hub" / "resnet18.pth", weights_only=True)
    other = state | {"layer1.0.se.weight": torch.ones(2)}
    torch.save(other, tmp_path / "hub" / "resnet18.pth")
    with pytest.raises(InputError, match=r"have the layers of a ResNet, got other tensors: .*stages\.0\.layers\.0\.se"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    groups = state | {"layer1.0.conv2.weight": torch.ones(8, 2, 3, 3)}
    torch.save(groups, tmp_path / "hub" / "resnet18.pth")
    with pytest.raises(InputError, match="have the layers of a ResNet, got Error"):
        import_towers(tmp_path / "hub", tmp_path / "out")
