"""Compares an imported tower, as a job loads it, with the original model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoTokenizer, SiglipTextModel

from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer

SIZES: dict[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "max_tokens": 40, "image_size": 32}
REPORT = "The HEART is enlarged. No pleural effusion."


def image_features(name: str, images: torch.Tensor) -> torch.Tensor:
    """Features of an imported image tower, as a job computes them."""
    model = DualEncoder(**SIZES, image_encoder=f"local:{name}").eval()
    features: torch.Tensor = model.image["alignment"].block(model.image_features(images))
    return features


def same_pixels(reference: Callable[..., Any], name: str, scale: tuple[list[float], list[float]]) -> None:
    """An error if an imported image tower has other features than a model of transformers."""
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    mean, std = (torch.tensor(values)[:, None, None] for values in scale)
    with torch.no_grad():
        expected = reference(pixel_values=((images + 1) / 2 - mean) / std).last_hidden_state
        torch.testing.assert_close(image_features(name, images), expected, atol=1e-5, rtol=1e-5)


def same_words(reference: Callable[..., Any], name: str, download: Path, *, cleaned: str = REPORT) -> None:
    """An error if an imported text tower has other token ids or features than a model of transformers.

    ``cleaned`` is what its library makes of the report before the tokenizer.
    """
    model = DualEncoder(**SIZES, text_encoder=f"local:{name}", vocabulary=f"local:{name}").eval()
    ids = load_tokenizer(find_vocabulary(f"local:{name}"), max_tokens=40).encode(REPORT).ids
    assert ids == AutoTokenizer.from_pretrained(download, local_files_only=True)(cleaned).input_ids[:40]
    tokens, mask = torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.bool)
    with torch.no_grad():
        expected = word_features(reference, tokens)
        features = model.text["alignment"].block(model.text_features(tokens, mask), mask)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


def word_features(reference: Any, tokens: torch.Tensor) -> torch.Tensor:
    """The last hidden state of a text; SigLIP pads it to its last position, which it pools."""
    found: torch.Tensor = reference(input_ids=tokens).last_hidden_state
    if isinstance(reference, SiglipTextModel):
        rest = reference.config.max_position_embeddings - tokens.shape[1]
        padded = torch.nn.functional.pad(tokens, (0, rest), value=reference.config.pad_token_id)
        found = reference(input_ids=padded).last_hidden_state
        found = torch.cat([found[:, : tokens.shape[1] - 1], found[:, -1:]], dim=1)
    return found


def names_in(folder: Path) -> list[str]:
    """Names of the tensors that were written."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        return list(file.keys())
