from __future__ import annotations

from typing import Any

import pytest
import torch

from admin.study.compare.frozen_texts import FrozenTexts
from fedaid.models.dual_encoder import DualEncoder


@pytest.fixture
def frozen(model_options: dict[str, Any]) -> DualEncoder:
    text = model_options["text_encoder"] | {"frozen": True}
    return DualEncoder(**model_options | {"text_encoder": text}).eval()


def texts() -> tuple[torch.Tensor, torch.Tensor]:
    """Three reports of other lengths, padded with 0."""
    token_ids = torch.tensor([[2, 5, 6, 7, 3], [2, 9, 3, 0, 0], [2, 5, 6, 3, 0]])
    return token_ids, token_ids > 0


def test_the_embeddings_are_those_of_the_encoder(frozen: DualEncoder) -> None:
    images, (token_ids, mask) = torch.zeros(3, 1, 32, 32), texts()
    plain = frozen(images, token_ids, mask)
    kept = FrozenTexts().serve(frozen)(images, token_ids, mask)
    torch.testing.assert_close(kept.text, plain.text, atol=1e-5, rtol=0)


def test_no_report_is_read_twice_by_any_of_the_models(frozen: DualEncoder, model_options: dict[str, Any]) -> None:
    other = DualEncoder(**frozen.configuration).eval()
    read: list[int] = []
    for model in (frozen, other):
        encode = model.encoder("text").forward
        model.encoder("text").forward = lambda ids, mask, encode=encode: read.append(len(ids)) or encode(ids, mask)
    kept = FrozenTexts()
    first, second = kept.serve(frozen), kept.serve(other)
    token_ids, mask = texts()
    features = first.text_features(token_ids, mask)
    again = second.text_features(token_ids[[2, 0]], mask[[2, 0]])
    assert sum(read) == 3
    torch.testing.assert_close(again, features[[2, 0]], atol=0, rtol=0)


def test_an_encoder_that_learns_is_left_alone(model: DualEncoder) -> None:
    before = model.encoder("text").forward
    FrozenTexts().serve(model)
    assert model.encoder("text").forward == before
