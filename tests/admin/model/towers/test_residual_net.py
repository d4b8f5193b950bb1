"""A ResNet of torchvision becomes that of transformers, with its features."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from tests.admin.model.towers.imported import image_features
from tests.admin.model.towers.residual_net_download import download
from tests.admin.model.towers.test_refused_downloads import settings, tensors
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


CONFIG = "config.json"
PLAIN = ("resnet50", "resnet18.tv_in1k", "tv_resnet152", "gluon_resnet101", "gluon_resnet50_v1b", "resnet34.a1_in1k")
OTHER = ("resnetblur50.bt_in1k", "resnetaa50", "resnet50d", "resnet101s", "seresnet50", "resnet50_gn", "resnet50.a b")


@pytest.mark.parametrize("architecture", PLAIN)
def test_a_plain_resnet_of_timm_is_that_of_torchvision(architecture: str, tmp_path: Path) -> None:
    download(tmp_path / "hub")
    state_scale(tmp_path / "hub")
    settings(CONFIG, architecture=architecture, model_args={"in_chans": 3})(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out").values()
    assert facts["model_type"] == "resnet"


@pytest.mark.parametrize("architecture", [*OTHER, ["resnet50"], ""])
def test_another_network_of_timm_with_these_tensors_is_refused(architecture: object, tmp_path: Path) -> None:
    download(tmp_path / "hub")
    state_scale(tmp_path / "hub")
    settings(CONFIG, architecture=architecture)(tmp_path / "hub")
    with pytest.raises(InputError, match=r"be a plain ResNet or DenseNet121, got architecture .*a model of timm"):
        import_towers(tmp_path / "hub", tmp_path / "out")


@pytest.mark.parametrize("options", [{"aa_layer": "blurpool"}, {"output_stride": 8}, ["stem_type"]])
def test_a_plain_resnet_of_timm_with_other_options_is_refused(options: object, tmp_path: Path) -> None:
    download(tmp_path / "hub")
    state_scale(tmp_path / "hub")
    settings(CONFIG, architecture="resnet50", model_args=options)(tmp_path / "hub")
    with pytest.raises(InputError, match="be a plain ResNet or DenseNet121, got architecture resnet50, model_args"):
        import_towers(tmp_path / "hub", tmp_path / "out")


@pytest.mark.parametrize("first", [False, True])
def test_a_tensor_outside_the_network_replaces_none_of_it(first: bool, tmp_path: Path, models: Path) -> None:
    network = download(tmp_path / "hub", prefix="backbone.")
    state_scale(tmp_path / "hub")
    state = torch.load(tmp_path / "hub" / "resnet18.pth", weights_only=True)
    foreign = {name: torch.ones_like(state[f"backbone.{name}"]) for name in ("conv1.weight", "layer2.0.bn1.bias")}
    torch.save(foreign | state if first else state | foreign, tmp_path / "hub" / "resnet18.pth")
    (facts,) = import_towers(tmp_path / "hub", models / "net").values()
    assert facts["left"] == ["conv1", "fc", "layer2"]
    images, (mean, std) = torch.rand(2, 1, 32, 32) * 2 - 1, (torch.tensor(v)[:, None, None] for v in IMAGENET)
    with torch.no_grad():
        expected = network(((images + 1) / 2 - mean) / std).flatten(2).mT
        torch.testing.assert_close(image_features("net", images), expected, atol=1e-5, rtol=1e-5)


DAMAGES: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "conv1.weight": lambda state: state.update({"conv1.weight": state["conv1.weight"].flatten()}),
    "layer2.0.conv3.weight": lambda state: [state.pop(name) for name in list(state) if name.startswith("layer2.")],
    "layer3.0.conv3.weight": lambda state: state.pop("layer3.0.conv3.weight"),
    "layer4.0.conv3.weight": lambda state: state.update({"layer4.0.conv3.weight": torch.tensor(1.0)}),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_resnet_is_refused(name: str, tmp_path: Path) -> None:
    download(tmp_path / "hub", bottleneck=True, file="model.safetensors")
    state_scale(tmp_path / "hub")
    tensors(DAMAGES[name])(tmp_path / "hub")
    with pytest.raises(InputError, match=rf"have all its weights, got no \['{name}'\] .* Download it again\."):
        import_towers(tmp_path / "hub", tmp_path / "out")
