from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import batch_norm_names


def test_a_batch_norm_layer_has_five_tensors_of_its_own() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GroupNorm(1, 2), nn.LayerNorm(4))
    names = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert batch_norm_names(model) == {f"1.{name}" for name in names}


def test_a_layer_that_several_processes_share_keeps_its_names() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2))
    assert batch_norm_names(nn.SyncBatchNorm.convert_sync_batchnorm(model)) == batch_norm_names(model)


@pytest.mark.parametrize("image", ["resnet", "monai_resnet", "monai_densenet121"])
def test_a_convolutional_encoder_has_them_and_nothing_else_of_the_model(
    image: str, model_options: dict[str, Any]
) -> None:
    model = DualEncoder(**model_options | {"image_encoder": image})
    found = batch_norm_names(model)
    assert {name for name in model.state_dict() if "running_" in name} < found < model.state_dict().keys()
    assert all(name.startswith("image.encoder.") for name in found)
    assert len(found) % 5 == 0


@pytest.mark.parametrize("image", ["vit", "convnext", "swin", "monai_vit"])
def test_a_transformer_has_none(image: str, model_options: dict[str, Any]) -> None:
    assert batch_norm_names(DualEncoder(**model_options | {"image_encoder": image})) == frozenset()
