"""A folder whose weights, tokens or scale do not fit is refused in one line before a job starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.local_folder import remedy_for
from fedaid.models.vocabulary import VOCABULARY_FILE, vocabulary_size

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
    assert refusal(image_encoder="local:vit").startswith("pixel_mean must have 1 or 1 numbers")


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
