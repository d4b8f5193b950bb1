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
    assert (len(TEXTS), len(IMAGES)) == (24, 16)


@pytest.mark.parametrize("one", TEXTS, ids=named)
def test_a_text_encoder_gives_the_features_of_its_library(one: Published, models_folder: Path) -> None:
    reference = one.write(models_folder / "fake")
    model = model_of(one)
    ids = load_tokenizer(find_vocabulary("local:fake"), max_tokens=60).encode(REPORT).ids
    assert ids == AutoTokenizer.from_pretrained(models_folder / "fake", local_files_only=True)(REPORT).input_ids
    tokens, mask = torch.tensor([ids, ids]), torch.ones(2, len(ids), dtype=torch.bool)
    tokens[0, -3:], mask[0, -3:] = 0, False
    with torch.no_grad():
        given = [at_full_length(one, reference, t[m][None]) for t, m in zip(tokens, mask, strict=True)]
        expected = [reference(input_ids=row).last_hidden_state[0] for row in given]
        features = model.text["alignment"].block(model.text_features(tokens, mask), mask)
    for row, length in enumerate(mask.sum(1)):
        end = length - 1 if one.model_type == "siglip_text_model" else length  # its last token has the last position's
        torch.testing.assert_close(features[row][:end], expected[row][:end], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("one", TEXTS, ids=named)
def test_a_text_encoder_is_pooled_as_it_was_trained(one: Published, models_folder: Path) -> None:
    reference, model = one.write(models_folder / "fake"), model_of(one)
    assert model.configuration["text_encoder"].get("pooling", "mean") == one.pooling
    ids = load_tokenizer(find_vocabulary("local:fake"), max_tokens=60).encode(REPORT).ids
    tokens, mask = torch.tensor([[*ids, 0, 0, 0]]), torch.arange(len(ids) + 3)[None] < len(ids)
    with torch.no_grad():
        alignment = model.text["alignment"]
        pooled = alignment.pooling(alignment.block(model.text_features(tokens, mask), mask), mask)
        torch.testing.assert_close(pooled, text_reference(one, reference, torch.tensor([ids])), atol=1e-5, rtol=1e-5)


def at_full_length(one: Published, reference: Any, ids: torch.Tensor) -> torch.Tensor:
    """Token ids (1, T) as the model was trained with them: SigLIP's padded to its last position."""
    rest = 64 - ids.shape[1] if one.model_type == "siglip_text_model" else 0
    return torch.nn.functional.pad(ids, (0, rest), value=reference.config.pad_token_id)


def text_reference(one: Published, reference: Any, ids: torch.Tensor) -> torch.Tensor:
    """What the model of the library gives for one text, by its own pooling where it has one."""
    found = reference(input_ids=at_full_length(one, reference, ids))
    if one.model_type == "siglip_text_model":
        return found.last_hidden_state[:, -1]  # type: ignore[no-any-return]
    if one.pooling == "last":
        return found.pooler_output  # type: ignore[no-any-return]
    return found.last_hidden_state[:, 0] if one.pooling == "class" else found.last_hidden_state.mean(1)  # type: ignore[no-any-return]


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


@pytest.mark.parametrize("one", IMAGES, ids=named)
def test_an_image_encoder_is_pooled_as_it_was_trained(one: Published, models_folder: Path) -> None:
    reference, images = one.write(models_folder / "fake"), torch.rand(2, 1, 32, 32) * 2 - 1
    model = model_of(one)
    assert model.configuration["image_encoder"].get("pooling", "mean") == one.pooling
    assert one.scale
    mean, std = (torch.tensor(values)[:, None, None] for values in one.scale)
    with torch.no_grad():
        found = reference(pixel_values=((images + 1) / 2 - mean) / std)
        alignment = model.image["alignment"]
        pooled = alignment.pooling(alignment.block(model.image_features(images)))
        expected = found.pooler_output.flatten(1)
        if one.model_type in ("vit", "deit"):  # their pooler is one layer more, which few checkpoints have
            expected = found.last_hidden_state[:, 0]
        if one.model_type.startswith("convnext"):  # the norm before the mean, so that the added block gets it
            expected = reference.layernorm(found.last_hidden_state.flatten(2).mT).mean(1)
    torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=1e-5)


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
