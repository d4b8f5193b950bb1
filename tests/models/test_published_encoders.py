"""A tower that loads wrong shows no error, so each is compared with its own library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from tests.models.published_encoders import PUBLISHED, Published, table

REPORT = "The HEART is enlarged. No pleural effusion, café."
TINY: Mapping[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "max_tokens": 60, "image_size": 32}
TEXTS = [one for one in PUBLISHED if one.tower == "text" and not one.refused]
IMAGES = [one for one in PUBLISHED if one.tower == "image" and not one.refused]
REFUSED = [one for one in PUBLISHED if one.refused]


def named(one: Published) -> str:
    return one.name


def model_of(one: Published, **changes: Any) -> DualEncoder:
    chosen = {"text_encoder": "local:fake", "vocabulary": "local:fake"} if one.tower == "text" else {}
    chosen = chosen or {"image_encoder": "local:fake"}
    return DualEncoder(**TINY | chosen | changes).eval()


def test_the_table_is_long_enough_and_names_each_once() -> None:
    assert len(PUBLISHED) == len({one.name for one in PUBLISHED}) >= 30
    assert (len(TEXTS), len(IMAGES)) == (20, 16)


@pytest.mark.parametrize("one", TEXTS, ids=named)
def test_a_text_encoder_gives_the_features_of_its_library(one: Published, models_folder: Path) -> None:
    reference = one.write(models_folder / "fake")
    model = model_of(one)
    ids = load_tokenizer(find_vocabulary("local:fake"), max_tokens=60).encode(REPORT).ids
    assert ids == AutoTokenizer.from_pretrained(models_folder / "fake", local_files_only=True)(REPORT).input_ids
    tokens, mask = torch.tensor([ids, ids]), torch.ones(2, len(ids), dtype=torch.bool)
    tokens[0, -3:], mask[0, -3:] = 0, False
    with torch.no_grad():
        expected = [reference(input_ids=t[m][None]).last_hidden_state[0] for t, m in zip(tokens, mask, strict=True)]
        features = model.text["alignment"].block(model.text_features(tokens, mask), mask)
    for row in range(2):
        torch.testing.assert_close(features[row][mask[row]], expected[row], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("one", IMAGES, ids=named)
def test_an_image_encoder_gives_the_features_of_its_library(one: Published, models_folder: Path) -> None:
    reference, images = one.write(models_folder / "fake"), torch.rand(2, 1, 32, 32) * 2 - 1
    model = model_of(one)
    assert one.scale
    mean, std = (torch.tensor(values)[:, None, None] for values in one.scale)
    with torch.no_grad():
        expected = reference(pixel_values=((images + 1) / 2 - mean) / std).last_hidden_state
        features = model.image["alignment"].block(model.image_features(images))
    if expected.ndim == 4:
        expected = expected.flatten(2).mT
        expected = reference.layernorm(expected) if one.model_type.startswith("convnext") else expected
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("one", TEXTS + IMAGES, ids=named)
def test_another_machine_builds_the_same_model_without_the_weights(one: Published, models_folder: Path) -> None:
    one.write(models_folder / "fake")
    model = model_of(one)
    (models_folder / "fake" / "model.safetensors").unlink()
    again = DualEncoder(**model.configuration).eval()
    again.load_state_dict(model.state_dict(), strict=True)
    images, tokens, mask = torch.rand(2, 1, 32, 32), torch.tensor([[2, 5, 3]] * 2), torch.ones(2, 3, dtype=torch.bool)
    with torch.no_grad():
        torch.testing.assert_close(again(images, tokens, mask), model(images, tokens, mask))


@pytest.mark.parametrize("one", REFUSED, ids=named)
def test_what_cannot_be_right_is_refused(one: Published, models_folder: Path) -> None:
    one.write(models_folder / "fake")
    with pytest.raises(InputError, match=one.refused):
        model_of(one)


def test_the_page_shows_this_table() -> None:
    assert table() in Path("docs/model.md").read_text(encoding="utf-8")
