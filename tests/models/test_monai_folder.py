"""MONAI's networks start from the weights of a local folder, or the folder is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.networks.nets import DenseNet121, ResNet
from safetensors.torch import load_file, save_file

from admin.model.export.stock_encoder import monai_encoder
from fedaid.errors import InputError
from fedaid.models.configuration import EncoderChoice
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.image_tower import image_tower
from fedaid.models.pixel_scale import PixelScale

SIZES: dict[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "image_size": 32}
OPTIONS = {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [4, 4, 8, 8], "conv1_t_stride": 2}


@pytest.fixture
def resnet(models_folder: Path) -> ResNet:
    """A ResNet of MONAI, written to the folder ``own``."""
    network = ResNet(spatial_dims=2, n_input_channels=1, num_classes=3, **OPTIONS).train()
    network(torch.randn(4, 1, 32, 32))
    folder = models_folder / "own"
    folder.mkdir()
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "monai_resnet"} | OPTIONS))
    (folder / "preprocessor_config.json").write_text(json.dumps({"image_mean": [0.3], "image_std": [0.2]}))
    return network.eval()


def test_a_folder_gives_its_weights_and_its_scale(resnet: ResNet) -> None:
    model = DualEncoder(**SIZES, image_encoder="local:own").eval()
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    layers = (
        resnet.conv1,
        resnet.bn1,
        resnet.act,
        resnet.maxpool,
        *(getattr(resnet, f"layer{n}") for n in range(1, 5)),
    )
    with torch.no_grad():
        features = model.image["alignment"].block(model.image_features(images))
        expected = torch.nn.Sequential(*layers)(((images + 1) / 2 - 0.3) / 0.2).flatten(2).mT
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pretrained": True}, "have options of monai_resnet in config.json"),
        ({"block_inplanes": [4, 4, 8, 16]}, "have weights that fit"),
        ({"layers": [2, 1, 1, 1]}, "have all its weights"),
        ({"auto_map": {"AutoModel": "a.B"}}, "need no code of its own"),
    ],
)
def test_a_folder_with_other_options_is_refused(
    changes: dict[str, Any], message: str, resnet: ResNet, models_folder: Path
) -> None:
    config = {"model_type": "monai_resnet"} | OPTIONS | changes
    (models_folder / "own" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=message):
        DualEncoder(**SIZES, image_encoder="local:own")


def test_weights_that_are_lost_or_not_finite_are_refused(resnet: ResNet, models_folder: Path) -> None:
    file = models_folder / "own" / "model.safetensors"
    state = load_file(file)
    save_file(state | {"conv1.weight": state["conv1.weight"] * torch.nan}, file)
    with pytest.raises(InputError, match="NaN or infinity in conv1"):
        DualEncoder(**SIZES, image_encoder="local:own")
    save_file({name: tensor for name, tensor in state.items() if name != "bn1.running_mean"}, file)
    with pytest.raises(InputError, match="have all its weights"):
        DualEncoder(**SIZES, image_encoder="local:own")
    file.unlink()
    with pytest.raises(InputError, match="have weights that fit"):
        DualEncoder(**SIZES, image_encoder="local:own")


@pytest.mark.parametrize("kind", ["monai_resnet", "monai_densenet121"])
def test_a_network_of_three_channels_gets_the_grey_image_in_each(kind: str, models_folder: Path) -> None:
    small = {"init_features": 8, "growth_rate": 4, "block_config": [2, 2]}
    options = OPTIONS | {"n_input_channels": 3} if kind == "monai_resnet" else small | {"in_channels": 3}
    given: dict[str, Any] = {"spatial_dims": 2} | options
    network = (ResNet(**given) if kind == "monai_resnet" else DenseNet121(out_channels=2, **given)).eval()
    (models_folder / "own").mkdir()
    save_file(network.state_dict(), models_folder / "own" / "model.safetensors")
    (models_folder / "own" / "config.json").write_text(json.dumps({"model_type": kind} | options))
    scale = {"image_mean": [0.3, 0.4, 0.5], "image_std": [0.2, 0.3, 0.4]}
    (models_folder / "own" / "preprocessor_config.json").write_text(json.dumps(scale))
    model, images = DualEncoder(**SIZES, image_encoder="local:own").eval(), torch.rand(2, 1, 32, 32) * 2 - 1
    mean, std = (torch.tensor(values)[:, None, None] for values in scale.values())
    names = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
    parts = [getattr(network, name) for name in (names if kind == "monai_resnet" else ("features",))]
    with torch.no_grad():
        expected = torch.nn.Sequential(*parts)(((images + 1) / 2 - mean) / std).flatten(2).mT
        torch.testing.assert_close(model.image_features(images), expected, atol=1e-5, rtol=1e-5)
    again = DualEncoder(**json.loads(json.dumps(model.configuration)))
    again.load_state_dict(model.state_dict(), strict=True)
    stock = monai_encoder(kind, options, 32, scale=PixelScale((0.3, 0.4, 0.5), (0.2, 0.3, 0.4)))
    assert ".expand(-1, 3, -1, -1)" in stock.tokens


def test_a_scale_of_three_channels_is_refused() -> None:
    scale = PixelScale((0.5,) * 3, (0.5,) * 3)
    with pytest.raises(InputError, match="pixel_mean must have 1 number"):
        image_tower(EncoderChoice("monai_resnet", OPTIONS, scale=scale), image_size=32)
