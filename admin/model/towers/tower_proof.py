"""Compares a written tower, loaded as a job loads it, with the original model on a test picture and a test text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from admin.model.towers.picked_tower import IMAGE, PickedTower
from fedaid.errors import require
from fedaid.models.configuration import IMAGE_ENCODERS, TEXT_ENCODERS, EncoderChoice, blamed_on, choose
from fedaid.models.folder.monai_network import monai_channels
from fedaid.models.image_tower import image_tower
from fedaid.models.local_folder import LOCAL, VARIABLE
from fedaid.models.text_tower import COUNT_FROM_PADDING, text_tower
from fedaid.models.tower import TowerParts
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer, vocabulary_size

LEAST_COSINE = 0.9999
LARGEST_DIFFERENCE = 1e-3
"""Of the largest feature: the cosine alone hardly shows a wrong activation or norm."""
SENTENCE = "The heart is mildly ENLARGED. No pleural effusion, no pneumothorax; 2 cm nodule in the left lower lobe."
LONGEST = 64


class TowerProof(NamedTuple):
    """A tower as a job has it.

    Attributes:
        choice: of the encoder.
        parts: of the tower.
        cosine: the smallest of all tokens, between its features and those of the original model.
        difference: the largest between these features, as a share of the largest feature.
    """

    choice: EncoderChoice
    parts: TowerParts
    cosine: float
    difference: float


@contextmanager
def models_in(root: Path) -> Iterator[None]:
    """Inside the block, local models are read from this folder."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(root)
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


@torch.no_grad()
def prove(tower: PickedTower, root: Path, name: str) -> TowerProof:
    """Load the tower from ``ROOT/NAME`` and compare it with the original model.

    Raises:
        InputError: if a job could not load it, or its features are not those of the original model.
    """
    with models_in(root), blamed_on(f"{tower.kind}_encoder"):
        proof = prove_image(tower, LOCAL + name) if tower.kind == IMAGE else prove_text(tower, LOCAL + name)
    rule = f"have the features of the original model (cosine {LEAST_COSINE}, difference {LARGEST_DIFFERENCE:.1%})"
    remedy = "Do not use this tower: the model computes something that its layout does not show."
    same = proof.cosine >= LEAST_COSINE and proof.difference <= LARGEST_DIFFERENCE
    got = f"cosine {proof.cosine:.4f}, largest difference {proof.difference:.1%}"
    require(same, f"{tower.kind} tower", rule, got=got, where=name, remedy=remedy)
    return proof


def prove_image(tower: PickedTower, name: str) -> TowerProof:
    """Compare an image tower."""
    choice = choose(name, IMAGE_ENCODERS, setting="image_encoder")
    size = int(choice.options.get("image_size") or 224)
    parts = image_tower(choice, image_size=size)
    generator = torch.Generator().manual_seed(0)
    bytes_ = torch.randint(0, 256, (2, 1, size, size), generator=generator).float()
    channels = channels_of(choice)
    expected = tower.reference(processed(bytes_, tower.processor or {}).expand(-1, channels, -1, -1))
    parts.encoder.eval(), parts.block.eval()
    features = parts.block(parts.encoder(bytes_ / 127.5 - 1))
    return TowerProof(choice, parts, *compared(features, expected))


def channels_of(choice: EncoderChoice) -> int:
    """The number of channels of an image encoder; the grey image is repeated."""
    return int(choice.options.get("num_channels", monai_channels(choice.name, choice.options)))


def processed(values: Tensor, processor: Mapping[str, Any]) -> Tensor:
    """Grey values (B, 1, H, W) from 0 to 255 as the original model's image processor hands them over."""
    scaled = values * processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else values
    if not processor.get("do_normalize", True):
        return scaled
    mean, std = (torch.tensor(processor[name])[None, :, None, None] for name in ("image_mean", "image_std"))
    return (scaled - mean) / std


def prove_text(tower: PickedTower, name: str) -> TowerProof:
    """Compare a text tower, with a text and a shorter one that is padded."""
    choice = choose(name, TEXT_ENCODERS, setting="text_encoder")
    vocabulary = find_vocabulary(name)
    longest = min(LONGEST, positions(choice))
    parts = text_tower(choice, vocabulary_size=vocabulary_size(vocabulary), max_tokens=longest)
    ids = load_tokenizer(vocabulary, max_tokens=longest).encode(SENTENCE).ids
    tokens, mask = torch.tensor([ids, ids]), torch.ones(2, len(ids), dtype=torch.bool)
    mask[1, len(ids) // 2 :] = False
    parts.encoder.eval(), parts.block.eval()
    features = parts.block(parts.encoder(tokens, mask), mask)
    return TowerProof(choice, parts, *compared(features[mask], tower.reference(tokens, mask)[mask]))


def positions(choice: EncoderChoice) -> int:
    """The longest text that a text encoder takes, in tokens."""
    longest = int(choice.options["max_position_embeddings"])
    return longest - int(choice.options["pad_token_id"]) - 1 if choice.name in COUNT_FROM_PADDING else longest


def compared(features: Tensor, expected: Tensor) -> tuple[float, float]:
    """The smallest cosine of all tokens (..., F), and the largest difference as a share of the largest feature."""
    if features.shape != expected.shape:
        return -1.0, float("inf")
    features, expected = features.double(), expected.double()
    cosine = functional.cosine_similarity(features, expected, dim=-1).min()
    return float(cosine), float((features - expected).abs().max() / expected.abs().max())
