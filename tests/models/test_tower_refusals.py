"""A folder whose weights, tokens or scale do not fit is refused in one line before a job starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.local_folder import remedy_for
from fedaid.models.vocabulary import VOCABULARY_FILE, find_vocabulary, vocabulary_size
from tests.models.published_encoders import PUBLISHED

SIZES: dict[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "max_tokens": 16, "image_size": 32}


def refusal(**settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        DualEncoder(**SIZES | settings)
    line = str(caught.value)
    assert "\n" not in line
    return line


def change(folder: Path, **facts: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | facts))


def test_a_weight_that_is_not_finite_is_refused_by_name(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    file = models_folder / "bert" / "model.safetensors"
    tensors = load_file(file)
    tensors["encoder.layer.1.output.dense.bias"][3] = torch.nan
    save_file(tensors, file, metadata={"format": "pt"})
    line = refusal(text_encoder="local:bert")
    assert "have finite weights, got NaN or infinity in encoder.layer.1.output.dense.bias" in line


def test_more_layers_than_the_configuration_says_are_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    change(models_folder / "bert", num_hidden_layers=2)
    assert "have the layers of its config.json, got also ['encoder.layer.2." in refusal(text_encoder="local:bert")


def test_a_truncated_file_of_weights_is_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    file = models_folder / "bert" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert "have whole weights, got a damaged file" in refusal(text_encoder="local:bert")


def test_positions_that_the_library_would_ignore_are_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    change(models_folder / "bert", position_embedding_type="relative_key")
    assert "have absolute positions, got position_embedding_type 'relative_key'" in refusal(text_encoder="local:bert")


@pytest.mark.parametrize(
    ("rows", "words"),
    [(vocabulary_size() * 102 // 100, "tokens of the text encoder, but for 1%"), (vocabulary_size() - 1, "at most")],
)
def test_a_tokenizer_of_another_size_than_the_embedding_is_refused(
    rows: int, words: str, saved: Callable[..., Any]
) -> None:
    saved("bert", vocab_size=rows)
    line = refusal(text_encoder="local:bert")
    assert line.startswith("vocabulary must have")
    assert words in line


def test_a_few_rows_that_round_an_embedding_up_are_accepted(saved: Callable[..., Any]) -> None:
    saved("bert", vocab_size=vocabulary_size() + 8)
    DualEncoder(**SIZES | {"text_encoder": "local:bert"})


def test_another_number_of_channels_than_the_scale_has_is_refused(saved: Callable[..., Any]) -> None:
    saved("vit", num_channels=1)  # the folder states three means
    assert refusal(image_encoder="local:vit").startswith("pixel_mean must have 1 number, one for each channel")


def test_a_link_out_of_the_models_folder_is_refused_with_its_remedy(
    saved: Callable[..., Any], models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    saved("bert")
    outside = tmp_path_factory.mktemp("outside") / "bert"
    (models_folder / "bert").rename(outside)
    (models_folder / "bert").symlink_to(outside)
    assert remedy_for("local:bert", "config.json").startswith("It leads out of $FEDAID_MODELS, perhaps by a symbolic")
    line = refusal(text_encoder="local:bert")
    assert line.startswith("text_encoder must name a folder")
    assert "copy the folder" in line
    assert str(outside) not in line


def test_a_folder_of_two_towers_is_refused_with_its_remedy(models_folder: Path) -> None:
    (models_folder / "pair").mkdir()
    (models_folder / "pair" / "config.json").write_text('{"model_type": "clip"}')
    (models_folder / "pair" / "vocab.txt").write_bytes(VOCABULARY_FILE.read_bytes())
    assert "This folder holds two towers" in refusal(text_encoder="local:pair")


@pytest.mark.parametrize(
    "file", ["model.safetensors", "vocab.txt", "preprocessor_config.json", "1_Pooling/config.json"]
)
def test_a_file_that_links_out_of_the_models_folder_is_refused(
    file: str, saved: Callable[..., Any], models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    saved("bert")
    (models_folder / "bert" / "1_Pooling").mkdir()
    (models_folder / "bert" / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    outside = tmp_path_factory.mktemp("outside") / "content"
    (models_folder / "bert" / file).rename(outside)
    (models_folder / "bert" / file).symlink_to(outside)
    line = refusal(text_encoder="local:bert")
    assert f"lie below $FEDAID_MODELS, links included, got links out of it: ['{Path(file).name}']" in line
    assert str(outside) not in line


def test_a_link_inside_the_models_folder_is_followed(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    (models_folder / "blob").write_bytes((models_folder / "bert" / "model.safetensors").read_bytes())
    (models_folder / "bert" / "model.safetensors").unlink()
    (models_folder / "bert" / "model.safetensors").symlink_to("../blob")
    DualEncoder(**SIZES | {"text_encoder": "local:bert"})


def test_a_site_does_not_read_a_tokenizer_through_a_link(
    saved: Callable[..., Any], models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    saved("bert")
    (models_folder / "bert" / "tokenizer_config.json").symlink_to(tmp_path_factory.mktemp("outside"))
    with pytest.raises(InputError, match=r"links out of it: \['tokenizer_config.json'\]"):
        find_vocabulary("local:bert")


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "tokenizer_config.json"])
def test_code_of_the_folder_is_refused_whatever_file_asks_for_it(
    file: str, saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("bert")
    found = models_folder / "bert" / file
    content = json.loads(found.read_text()) if found.is_file() else {}
    found.write_text(json.dumps(content | {"auto_map": {"AutoModel": "code.Model"}}))
    assert f"need no code of its own, got auto_map in {file}" in refusal(text_encoder="local:bert")


@pytest.mark.parametrize("content", ['{"image', "[]", "\u00ff"])
@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors.index.json"])
def test_a_damaged_file_of_settings_is_refused_by_its_name(
    file: str, content: str, saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("vit")
    (models_folder / "vit" / file).write_text(content, encoding="latin-1")
    line = refusal(image_encoder="local:vit")
    assert line.startswith(f"{file} must hold a JSON object, got a damaged file: $FEDAID_MODELS/vit/{file}.")


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
def test_a_damaged_tokenizer_is_refused_by_its_name(name: str, models_folder: Path) -> None:
    PUBLISHED[0].write(models_folder / "fake")
    (models_folder / "fake" / name).write_text("{")
    line = refusal(text_encoder="local:fake", vocabulary="local:fake")
    assert line.startswith(
        ("tokenizer.json must hold", "tokenizer_config.json must hold", "tokenizer must be readable")
    )


def test_a_shard_that_is_missing_is_refused(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert").save_pretrained(models_folder / "bert", max_shard_size="20KB")
    (models_folder / "bert" / "model.safetensors").unlink()
    DualEncoder(**SIZES | {"text_encoder": "local:bert"})
    max((models_folder / "bert").glob("model-*.safetensors")).unlink()
    assert "have whole weights, got a missing file" in refusal(text_encoder="local:bert")


def test_weights_of_other_sizes_than_the_configuration_says_are_refused(
    saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("bert")
    change(models_folder / "bert", intermediate_size=32)
    assert "have weights of the sizes in its config.json" in refusal(text_encoder="local:bert")


@pytest.mark.parametrize("given", ["bert9", None])
def test_a_type_that_the_library_does_not_know_is_refused_with_its_version(
    given: str | None, saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("bert")
    change(models_folder / "bert", model_type=given)
    line = refusal(text_encoder="local:bert")
    assert f"be of a type that transformers {transformers.__version__} knows, got {given!r}" in line


@pytest.mark.parametrize("name", ["vit", "dinov2", "monai_vit", "beit", "dinov3_vit"])
def test_an_image_that_would_lose_its_border_is_refused(name: str) -> None:
    line = refusal(image_encoder={"name": name, "patch_size": 8}, image_size=36)
    assert line.startswith("image_size must be a multiple of the encoder's patch size 8, got 36")


def test_the_sides_of_a_patch_may_be_given_apart() -> None:
    assert "patch size [8, 8], got 36" in refusal(image_encoder={"name": "beit", "patch_size": [8, 8]}, image_size=36)


def test_a_head_that_the_pooling_needs_must_be_in_the_file(models_folder: Path) -> None:
    one = next(one for one in PUBLISHED if one.pooling == "attention")
    one.write(models_folder / "fake")
    file = models_folder / "fake" / "model.safetensors"
    tensors = {name: tensor for name, tensor in load_file(file).items() if not name.startswith("head.")}
    save_file(tensors, file, metadata={"format": "pt"})
    line = refusal(image_encoder="local:fake")
    assert "got a file without ['head." in line
    assert line.endswith('Pool by the mean: {"name": "local:fake", "pooling": "mean"}.')
    DualEncoder(**SIZES | {"image_encoder": {"name": "local:fake", "pooling": "mean"}})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"is_decoder": True}, "read a text in both directions, got is_decoder in config.json"),
        ({"is_decoder": True, "add_cross_attention": True}, "got is_decoder, add_cross_attention in config.json"),
        ({"quantization_config": {"quant_method": "gptq"}}, "have weights that are not quantized"),
    ],
)
def test_a_configuration_that_would_be_loaded_as_something_else_is_refused(
    facts: dict[str, Any], words: str, saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("bert")
    change(models_folder / "bert", **facts)
    assert words in refusal(text_encoder="local:bert")


def test_tensors_of_another_type_are_not_left_out(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("dinov2")
    file = models_folder / "dinov2" / "model.safetensors"
    registers = {"embeddings.register_tokens": torch.ones(1, 4, 16)}
    save_file(load_file(file) | registers, file, metadata={"format": "pt"})
    assert "got also ['embeddings.register_tokens']" in refusal(image_encoder="local:dinov2")
