"""The model: an image tower and a text tower that meet in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fedaid.errors import require
from fedaid.models.alignment import AlignmentModule
from fedaid.models.hugging_face import LOCAL, local_options
from fedaid.models.image_encoder import image_tower
from fedaid.models.presets import IMAGE_ENCODERS, TEXT_ENCODERS
from fedaid.models.text_encoder import text_tower
from fedaid.models.tower import TowerParts
from fedaid.models.vocabulary import find_vocabulary, vocabulary_hash, vocabulary_size

LARGEST_LOGIT_SCALE = 100.0  # as CLIP clips it, arXiv:2103.00020, section 2.5
WHERE = "model args of config_fed_server.json"


class Embeddings(NamedTuple):
    """Unit-norm embeddings of B studies; row b of both belongs to one study."""

    image: Tensor
    text: Tensor


def resolved(encoder: str | Mapping[str, Any], presets: Mapping[str, dict[str, Any]], setting: str) -> dict[str, Any]:
    """An encoder's name with all its options, so that another machine can build the same without local folders."""
    given: dict[str, Any] = {"name": encoder} if isinstance(encoder, str) else dict(encoder)
    name = str(given.get("name", ""))
    if name.startswith(LOCAL):
        return local_options(name)
    remedy = f"Choose one of {', '.join(presets)}, or local:FOLDER."
    require(name in presets, setting, "name a known encoder", got=repr(name), where=WHERE, remedy=remedy)
    return {"name": name} | presets[name] | given


class DualEncoder(nn.Module):
    """Image and text towers, each an encoder and an alignment module, and a learned logit scale.

    Its state has the names ``image.encoder.*``, ``image.alignment.*``, ``text.encoder.*``, ``text.alignment.*`` and
    ``log_logit_scale``.

    Args:
        image_encoder: a name of :data:`IMAGE_ENCODERS`, ``local:FOLDER``, or a mapping of a name and options.
        text_encoder: the same for :data:`TEXT_ENCODERS`.
        image_size: side of the square input in pixels.
        embedding_dim: D.
        projection_hidden: width of the projection heads' hidden layer.
        max_tokens: longest report in tokens.
        temperature: initial temperature, in (0, 1]; the logit scale starts at its inverse and is learned.
        vocabulary: ``radiology`` (ships with the bundle) or ``local:FOLDER`` with a ``vocab.txt``.
        seed: draws the initial weights, independent of any other random state.

    Raises:
        InputError: for an unknown encoder or a value out of range.
    """

    def __init__(
        self,
        *,
        image_encoder: str | Mapping[str, Any] = "vit",
        text_encoder: str | Mapping[str, Any] = "bert",
        image_size: int = 224,
        embedding_dim: int = 128,
        projection_hidden: int = 512,
        max_tokens: int = 112,
        temperature: float = 0.07,
        vocabulary: str = "radiology",
        seed: int = 0,
    ) -> None:
        super().__init__()
        remedy = "Use 0.07 unless you know better."
        require(0 < temperature <= 1, "temperature", "be in (0, 1]", got=temperature, where=WHERE, remedy=remedy)
        vocabulary_file = find_vocabulary(vocabulary)
        self.configuration: dict[str, Any] = {
            "image_encoder": resolved(image_encoder, IMAGE_ENCODERS, "image_encoder"),
            "text_encoder": resolved(text_encoder, TEXT_ENCODERS, "text_encoder"),
            "image_size": image_size,
            "embedding_dim": embedding_dim,
            "projection_hidden": projection_hidden,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "vocabulary": vocabulary,
            "seed": seed,
        }
        self.vocabulary_hash = vocabulary_hash(vocabulary_file)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.image = self._tower(image_tower(*self._spec(image_encoder, "image_encoder"), image_size=image_size))
            spec, size = self._spec(text_encoder, "text_encoder"), vocabulary_size(vocabulary_file)
            self.text = self._tower(text_tower(*spec, vocabulary_size=size, max_tokens=max_tokens))
        self.log_logit_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def _spec(self, encoder: str | Mapping[str, Any], setting: str) -> tuple[str, dict[str, Any]]:
        """Name and options; a local folder keeps its name here, so that its weights are loaded."""
        if isinstance(encoder, str) and encoder.startswith(LOCAL):
            return encoder, {}
        options = dict(self.configuration[setting])
        return options.pop("name"), options

    def _tower(self, parts: TowerParts) -> nn.ModuleDict:
        hidden, dim = self.configuration["projection_hidden"], self.configuration["embedding_dim"]
        alignment = AlignmentModule(parts.block, width=parts.width, hidden=hidden, embedding_dim=dim)
        return nn.ModuleDict({"encoder": parts.encoder, "alignment": alignment})

    @property
    def logit_scale(self) -> Tensor:
        """The inverse temperature, a scalar in (0, 100]."""
        return self.log_logit_scale.exp().clamp(max=LARGEST_LOGIT_SCALE)

    def image_features(self, images: Tensor) -> Tensor:
        """Encoder output of images (B, 1, H, W) in [-1, 1] → (B, T, F)."""
        features: Tensor = self.image["encoder"](images)
        return features

    def text_features(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Encoder output of token ids (B, T) with mask (B, T), true at real tokens → (B, T, F)."""
        features: Tensor = self.text["encoder"](token_ids, mask)
        return features

    def align(self, image_features: Tensor, text_features: Tensor, mask: Tensor) -> Embeddings:
        """Embeddings (B, D) of encoder outputs, by the alignment modules alone."""
        return Embeddings(self.image["alignment"](image_features), self.text["alignment"](text_features, mask))

    def forward(self, images: Tensor, token_ids: Tensor, mask: Tensor) -> Embeddings:
        """Unit-norm embeddings (B, D) of images and texts."""
        return self.align(self.image_features(images), self.text_features(token_ids, mask), mask)
