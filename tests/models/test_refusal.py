from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.models.configuration import blamed_on, check_ranges, check_vocabulary
from fedaid.models.vocabulary import vocabulary_hash

GOOD = {
    "image_size": 64,
    "embedding_dim": 8,
    "projection_hidden": 8,
    "max_tokens": 40,
    "seed": 0,
    "temperature": 0.07,
}


def raise_inside(error: Exception) -> None:
    with blamed_on("image_encoder"):
        raise error


def test_usable_values_pass() -> None:
    check_ranges(GOOD)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 0.009),
        ("temperature", 1.01),
        ("temperature", float("nan")),
        ("temperature", "0.07"),
        ("image_size", 0),
        ("image_size", 64.0),
        ("embedding_dim", True),
        ("projection_hidden", -1),
        ("max_tokens", 2),
        ("seed", None),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} must be "):
        check_ranges(GOOD | {name: value})


def test_what_a_backbone_says_is_reported_on_one_line() -> None:
    with pytest.raises(InputError, match=r"^image_encoder must have options that fit together, got TypeError: a b: "):
        raise_inside(TypeError("a\n  b"))


def test_a_clear_refusal_is_left_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^rho must"):
        raise_inside(InputError("rho", "be above 0", got=0, where="here", remedy="Raise it."))


def test_a_text_encoder_with_another_vocabulary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\nlung\n")
    with pytest.raises(InputError, match=f"Set vocabulary to local:{tmp_path.name}"):
        check_vocabulary(tmp_path, vocabulary_hash())


def test_a_text_encoder_with_its_own_vocabulary_passes(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\nlung\n")
    check_vocabulary(tmp_path, vocabulary_hash(tmp_path / "vocab.txt"))


def test_an_encoder_that_starts_from_random_weights_takes_any_vocabulary() -> None:
    check_vocabulary(None, "anything")


def test_a_local_text_encoder_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^tokenizer must lie in the folder of the text encoder, got no tokenizer\.json"
    ):
        check_vocabulary(tmp_path, vocabulary_hash())
