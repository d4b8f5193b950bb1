from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fedaid.errors import InputError
from fedaid.models.hugging_face import (
    TRANSFORMERS,
    cut_last_block,
    local_directory,
    local_options,
    new_backbone,
    option_names,
    take_norm,
)
from fedaid.models.image_tower import hugging_face_image
from fedaid.models.text_tower import TextFeatures
from fedaid.models.tower import LastBlock
from tests.models.published_encoders import PUBLISHED

TEXTS = ("bert", "roberta", "electra", "distilbert")
IMAGES = ("vit", "dinov2")


def load(name: str, models_folder: Path) -> nn.Module:
    options = local_options(f"local:{name}")
    return new_backbone(options.pop("name"), options, weights=models_folder / name)


def test_every_transformer_that_is_cut_is_tested_here_or_as_a_published_encoder() -> None:
    assert set(TRANSFORMERS) == {*TEXTS, *IMAGES} | {one.model_type for one in PUBLISHED} & set(TRANSFORMERS)


@pytest.mark.parametrize("name", TEXTS)
def test_a_cut_text_model_equals_the_uncut_one(name: str, saved: Callable[..., Any], models_folder: Path) -> None:
    whole = saved(name)
    ids, mask = torch.randint(5, 200, (3, 9)), torch.ones(3, 9, dtype=torch.bool)
    mask[0, 4:], mask[1, 7:] = False, False
    ids[~mask] = 0
    backbone, layer, norm = cut_last_block(load(name, models_folder).eval())
    with torch.no_grad():
        expected = whole(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        found = LastBlock(layer, norm)(TextFeatures(backbone)(ids, mask), mask)
    torch.testing.assert_close(found[mask], expected[mask], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", IMAGES)
def test_a_cut_image_model_equals_the_uncut_one(name: str, saved: Callable[..., Any], models_folder: Path) -> None:
    whole, images = saved(name), torch.rand(2, 1, 32, 32) * 2 - 1
    parts = hugging_face_image(load(name, models_folder).eval(), 32)
    with torch.no_grad():
        expected = whole(pixel_values=images.expand(-1, 3, -1, -1)).last_hidden_state
        found = parts.block(parts.encoder(images))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", TEXTS + IMAGES)
def test_the_cut_takes_exactly_one_layer(name: str, saved: Callable[..., Any], models_folder: Path) -> None:
    saved(name)
    whole = load(name, models_folder)
    last = whole.get_submodule(TRANSFORMERS[name][0])[2]  # type: ignore[index]
    backbone, layer, _ = cut_last_block(whole)
    assert len(backbone.get_submodule(TRANSFORMERS[name][0])) == 2  # type: ignore[arg-type]
    assert layer is last


@pytest.mark.parametrize("name", TEXTS + IMAGES)
def test_loaded_weights_are_those_of_the_folder(name: str, saved: Callable[..., Any], models_folder: Path) -> None:
    source, loaded = saved(name).state_dict(), load(name, models_folder).state_dict()
    assert len(loaded) > 20
    assert all(torch.equal(tensor, source[key]) for key, tensor in loaded.items())


@pytest.mark.parametrize("name", TEXTS + IMAGES)
def test_the_options_of_a_folder_rebuild_it_elsewhere(
    name: str, saved: Callable[..., Any], models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(name)
    loaded, options = load(name, models_folder), local_options(f"local:{name}")
    monkeypatch.delenv("FEDAID_MODELS")
    rebuilt = new_backbone(options.pop("name"), options)
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in loaded.state_dict().items()}


def test_half_precision_weights_are_loaded_in_single(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert").half().save_pretrained(models_folder / "bert")
    assert {tensor.dtype for tensor in load("bert", models_folder).state_dict().values()} == {torch.float32}


def test_options_name_no_path_and_no_labels(saved: Callable[..., Any]) -> None:
    saved("bert", id2label={0: "pneumonia"})
    options = local_options("local:bert")
    assert not {"_name_or_path", "id2label", "architectures", "dtype"} & set(options)


@pytest.mark.parametrize("option", ["hiden_size", "id2label", "is_decoder", "_attn_implementation"])
def test_an_option_that_a_backbone_does_not_have_is_refused(option: str) -> None:
    with pytest.raises(InputError, match=f"^encoder option must be one that bert has, got '{option}'"):
        new_backbone("bert", {option: 8})


def test_options_are_those_that_shape_the_backbone() -> None:
    from transformers import ViTConfig

    names = option_names(ViTConfig)
    assert {"hidden_size", "patch_size", "num_channels", "image_size"} <= set(names)
    assert not {"id2label", "return_dict", "transformers_version"} & set(names)


def test_a_folder_with_pickled_weights_only_is_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    (models_folder / "bert" / "model.safetensors").unlink()
    (models_folder / "bert" / "pytorch_model.bin").write_bytes(pickle.dumps({}))
    with pytest.raises(InputError, match=r"\$FEDAID_MODELS/bert\. Convert the weights to safetensors"):
        load("bert", models_folder)


def test_a_folder_that_lacks_a_layer_is_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    config = (saved("bert"), (models_folder / "bert" / "config.json").read_text())[1]
    saved("bert", num_hidden_layers=2)
    (models_folder / "bert" / "config.json").write_text(config)
    with pytest.raises(InputError, match=r"^encoder must have all its weights, got a file without \['encoder.layer.2"):
        load("bert", models_folder)


def test_a_folder_without_pooler_weights_is_complete(saved: Callable[..., Any], models_folder: Path) -> None:
    model = saved("bert")
    model.pooler = None
    model.save_pretrained(models_folder / "bert")
    assert len(load("bert", models_folder).state_dict()) > 20


@pytest.mark.parametrize("name", ["local:absent", "local:", "local:../x"])
def test_an_absent_folder_is_refused(name: str, models_folder: Path) -> None:
    with pytest.raises(InputError, match=r"^encoder must name a folder with config\.json"):
        local_directory(name)


def test_an_unset_variable_is_refused(
    saved: Callable[..., Any], models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved("bert")
    monkeypatch.delenv("FEDAID_MODELS")
    monkeypatch.chdir(models_folder)
    with pytest.raises(InputError, match=r"FEDAID_MODELS is not set on this machine: set it"):
        local_directory("local:bert")


@pytest.mark.parametrize("name", TEXTS + IMAGES)
def test_poolers_and_mask_tokens_are_left_out(name: str, saved: Callable[..., Any], models_folder: Path) -> None:
    saved(name)
    names = [key for key, _ in load(name, models_folder).named_parameters()]
    assert not [key for key in names if "pooler" in key or "mask_token" in key]


def test_taking_the_norm_leaves_an_identity() -> None:
    backbone = nn.Module()
    backbone.layernorm = nn.LayerNorm(3)
    assert isinstance(take_norm(backbone, "layernorm"), nn.LayerNorm)
    assert isinstance(backbone.layernorm, nn.Identity)


def test_a_backbone_without_a_last_norm_has_none_to_take() -> None:
    assert take_norm(nn.Module(), None) is None


def test_a_folder_that_brings_adapters_of_its_own_is_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    (models_folder / "bert" / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(InputError, match=r"^encoder must be a model without adapters of its own"):
        load("bert", models_folder)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_loaded_exactly(
    kind: torch.dtype, saved: Callable[..., Any], models_folder: Path
) -> None:
    half = saved("bert").to(kind)
    half.save_pretrained(models_folder / "bert")
    found = load("bert", models_folder).state_dict()
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    assert all(torch.equal(tensor, half.state_dict()[name].float()) for name, tensor in found.items())


def test_the_names_of_older_checkpoints_are_understood(saved: Callable[..., Any], models_folder: Path) -> None:
    """A prefix, heads, numbers that are not weights, and ``gamma`` and ``beta`` of norms."""
    whole, file = saved("bert"), models_folder / "bert" / "model.safetensors"
    older = {f"bert.{name}": tensor for name, tensor in load_file(file).items()}
    for new, old in (("weight", "gamma"), ("bias", "beta")):
        older = {name.replace(f"LayerNorm.{new}", f"LayerNorm.{old}"): tensor for name, tensor in older.items()}
    numbers = {"bert.embeddings.position_ids": torch.arange(512)[None], "cls.predictions.bias": torch.ones(3)}
    save_file(older | numbers, file)
    found = load("bert", models_folder).state_dict()
    assert all(torch.equal(tensor, whole.state_dict()[name]) for name, tensor in found.items())
