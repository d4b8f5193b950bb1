from __future__ import annotations

from typing import Any

import pytest
import torch

from fedaid.errors import InputError
from fedaid.models.configuration import TEXT_ENCODERS, EncoderChoice
from fedaid.models.hugging_face import TRANSFORMERS
from fedaid.models.text_tower import text_tower
from fedaid.models.tower import LastBlock, TowerParts

NAMES = sorted(TEXT_ENCODERS)
VOCABULARY, TOKENS = 50, 20


def tower(name: str, *, tokens: int = TOKENS, **options: Any) -> TowerParts:
    torch.manual_seed(0)
    choice = EncoderChoice(name, TEXT_ENCODERS[name] | options)
    return text_tower(choice, vocabulary_size=VOCABULARY, max_tokens=tokens)


@pytest.mark.parametrize("name", NAMES)
def test_block_and_encoder_agree_on_the_features(name: str) -> None:
    parts, ids = tower(name), torch.randint(1, VOCABULARY, (2, TOKENS))
    mask = torch.ones_like(ids, dtype=torch.bool)
    features = parts.encoder(ids, mask)
    assert features.shape == (2, TOKENS, parts.width)
    assert parts.block(features, mask).shape == features.shape


@pytest.mark.parametrize("name", NAMES)
def test_a_text_encoder_gives_its_last_layer(name: str) -> None:
    parts = tower(name)
    assert isinstance(parts.block, LastBlock)
    assert len(parts.encoder.get_submodule(f"backbone.{TRANSFORMERS[name][0]}")) == 2 - 1  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_text_of_the_greatest_length_without_padding_is_embedded(name: str) -> None:
    ids = torch.full((1, TOKENS), VOCABULARY - 1)
    assert tower(name).encoder(ids, torch.ones_like(ids, dtype=torch.bool)).isfinite().all()


@pytest.mark.parametrize(("name", "padding", "longest"), [("bert", 0, 20), ("roberta", 0, 19), ("roberta", 1, 18)])
def test_more_tokens_than_positions_are_refused(name: str, padding: int, longest: int) -> None:
    options = {"max_position_embeddings": 20, "pad_token_id": padding}
    tower(name, tokens=longest, **options)
    with pytest.raises(InputError, match=f"^max_tokens must be at most the {longest} positions"):
        tower(name, tokens=longest + 1, **options)


def test_more_words_than_the_encoder_knows_are_refused() -> None:
    with pytest.raises(InputError, match=r"^vocabulary must have at most the 49 tokens of the text encoder, got 50"):
        tower("bert", vocab_size=VOCABULARY - 1)
