from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fedaid.models.configuration import IMAGE_ENCODERS, EncoderChoice, choose
from fedaid.models.hugging_face import TRANSFORMERS
from fedaid.models.image_tower import MONAI, image_tower, trial
from fedaid.models.tower import AppendedBlock, LastBlock, TowerParts

SIZE = 64
CONVOLUTIONAL = ("monai_densenet121", "monai_resnet", "convnext", "swin", "resnet")
PLAIN = ("monai_vit", "vit", "dinov2")


def tower(name: str, **options: Any) -> TowerParts:
    torch.manual_seed(0)
    return image_tower(EncoderChoice(name, IMAGE_ENCODERS[name] | options), image_size=SIZE)


def test_every_preset_is_tested() -> None:
    assert set(CONVOLUTIONAL + PLAIN) == set(IMAGE_ENCODERS)
    assert set(MONAI) < set(IMAGE_ENCODERS)


@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_block_and_encoder_agree_on_the_features(name: str) -> None:
    parts = tower(name)
    features = parts.encoder(torch.randn(2, 1, SIZE, SIZE))
    assert features.shape[::2] == (2, parts.width)
    assert parts.block(features).shape == features.shape


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_backbone_without_plain_layers_is_given_a_block(name: str) -> None:
    assert isinstance(tower(name).block, AppendedBlock)


@pytest.mark.parametrize("name", PLAIN)
def test_a_transformer_gives_its_last_layer(name: str) -> None:
    parts = tower(name)
    path = "network.blocks" if name in MONAI else f"backbone.{TRANSFORMERS[name][0]}"
    assert isinstance(parts.block, LastBlock)
    assert len(parts.encoder.get_submodule(path)) == 4 - 1  # type: ignore[arg-type]


def test_the_cut_monai_vit_equals_the_uncut_one() -> None:
    from monai.networks.nets import ViT

    torch.manual_seed(0)
    whole = ViT(in_channels=1, img_size=(SIZE, SIZE), spatial_dims=2, **IMAGE_ENCODERS["monai_vit"]).eval()
    parts, images = tower("monai_vit"), torch.randn(2, 1, SIZE, SIZE)
    parts.encoder.eval(), parts.block.eval()
    with torch.no_grad():
        torch.testing.assert_close(parts.block(parts.encoder(images)), whole(images)[0])


def test_the_trial_run_leaves_no_trace() -> None:
    encoder = nn.Sequential(nn.Conv2d(1, 3, 2, stride=2), nn.BatchNorm2d(3), nn.Flatten(2))
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    assert trial(encoder, 8) == (3, 16)
    assert encoder.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())


def test_a_backbone_for_colour_sees_grey_in_all_channels(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("vit")
    parts = image_tower(choose("local:vit", IMAGE_ENCODERS, setting="image_encoder"), image_size=32)
    assert parts.encoder(torch.randn(2, 1, 32, 32)).shape == (2, 17, 16)


def test_the_norm_of_convnext_is_applied_to_its_features() -> None:
    features = tower("convnext").encoder(torch.randn(1, 1, SIZE, SIZE))
    torch.testing.assert_close(features.mean(dim=2), torch.zeros(features.shape[:2]), atol=1e-5, rtol=0)
