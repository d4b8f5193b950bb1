from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import AutoConfig

from admin.model.export.stock_encoder import fill_untrained, hugging_face_encoder, last_block, monai_encoder


def encoder() -> nn.Module:
    return nn.ModuleDict({"dense": nn.Linear(2, 2), "pooler": nn.Linear(2, 1)})


def test_an_untrained_pooler_is_zero_and_not_random() -> None:
    given = {"dense.weight": torch.ones(2, 2), "dense.bias": torch.ones(2)}
    filled = fill_untrained(encoder(), given)
    assert filled["pooler.weight"].tolist() == [[0.0, 0.0]]
    assert filled["dense.weight"] is given["dense.weight"]


def test_a_trained_part_that_is_missing_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"dense\.bias"):
        fill_untrained(encoder(), {"dense.weight": torch.ones(2, 2)})


def test_a_tensor_that_the_stock_class_does_not_have_is_an_error() -> None:
    given = {"dense.weight": torch.ones(2, 2), "dense.bias": torch.ones(2), "gate": torch.ones(1)}
    with pytest.raises(RuntimeError, match="gate"):
        fill_untrained(encoder(), given)


def test_a_feature_map_becomes_tokens_and_tokens_stay() -> None:
    assert hugging_face_encoder(AutoConfig.for_model("resnet", num_channels=1), None).tokens.endswith(".flatten(2).mT")
    assert hugging_face_encoder(AutoConfig.for_model("vit", num_channels=1), None).tokens.endswith(".last_hidden_state")


def test_a_grey_image_is_repeated_where_the_encoder_takes_three_channels() -> None:
    assert "images.expand(-1, 3, -1, -1)" in hugging_face_encoder(AutoConfig.for_model("vit"), None).tokens


def test_only_transformers_hold_the_last_block() -> None:
    assert monai_encoder("monai_vit", {}, 32).holds_last_block
    assert not monai_encoder("monai_resnet", {}, 32).holds_last_block


def test_the_last_block_of_an_encoder_is_named_by_its_number() -> None:
    network = nn.Module()
    network.blocks, network.norm = nn.ModuleList([nn.Identity(), nn.Identity()]), nn.LayerNorm(2)
    assert last_block(network) == ("blocks.1.", "norm.")
