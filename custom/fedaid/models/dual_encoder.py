"""The model: an image tower and a text tower with one embedding space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from fedaid.arguments import keeps_arguments
from fedaid.errors import require
from fedaid.models.adapters import AdapterSettings, adapter_settings, add_adapters
from fedaid.models.configuration import (
    IMAGE_ENCODERS,
    LARGEST_LOGIT_SCALE,
    TEXT_ENCODERS,
    EncoderChoice,
    blamed_on,
    check_ranges,
    check_vocabulary,
    choose,
    sized,
)
from fedaid.models.hugging_face import WHERE
from fedaid.models.image_tower import image_tower
from fedaid.models.pooling import Pooling
from fedaid.models.text_tower import text_tower
from fedaid.models.tower import TowerParts
from fedaid.models.vocabulary import find_vocabulary, vocabulary_hash, vocabulary_size

TOWERS = ("image", "text")


class Embeddings(NamedTuple):
    """Unit-norm embeddings of B studies; row b of both belongs to one study."""

    image: Tensor
    text: Tensor


class DualEncoder(nn.Module):
    """Image and text towers, each an encoder and an alignment module, and a learned logit scale.

    The names of its state are ``image.encoder.*``, ``image.alignment.*``, ``text.encoder.*``, ``text.alignment.*`` and
    ``log_logit_scale``.

    Args:
        image_encoder: a name of :data:`IMAGE_ENCODERS`, ``local:FOLDER``, or a mapping of a name and options; with the
            option ``"frozen": true`` the encoder is never trained, see :meth:`train`.
        text_encoder: the same for :data:`TEXT_ENCODERS`.
        image_size: side of the square input in pixels.
        embedding_dim: D.
        projection_hidden: width of the projection heads' hidden layer.
        max_tokens: longest report in tokens.
        temperature: initial temperature, in [0.01, 1]; the logit scale starts at its inverse and is trained.
        vocabulary: ``radiology`` (part of the bundle), or ``local:FOLDER`` with the tokenizer of a local text encoder.
        seed: of the initial weights, independent of any other random state.
        adapters: None, or the fields of :class:`AdapterSettings`. Then the encoders are frozen, and LoRA adapters are
            trained in every encoder that is not ``frozen``; the alignment modules train as usual.

    Raises:
        InputError: for an unknown encoder or a value out of range.
    """

    @keeps_arguments()
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
        adapters: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        adapted = None if adapters is None else adapter_settings(adapters)
        with blamed_on("image_encoder"):
            image = sized(choose(image_encoder, IMAGE_ENCODERS, setting="image_encoder"), image_size)
        with blamed_on("text_encoder"):
            text = choose(text_encoder, TEXT_ENCODERS, setting="text_encoder")
        vocabulary_file = find_vocabulary(vocabulary)
        self.configuration: dict[str, Any] = {
            "image_encoder": image.described,
            "text_encoder": text.described,
            "image_size": image_size,
            "embedding_dim": embedding_dim,
            "projection_hidden": projection_hidden,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "vocabulary": vocabulary,
            "seed": seed,
            "adapters": adapted and asdict(adapted),
        }
        check_ranges(self.configuration)
        self.vocabulary_hash = vocabulary_hash(vocabulary_file)
        check_vocabulary(text.weights, self.vocabulary_hash)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also seed every GPU
            self._draw_towers(image, text, vocabulary_size(vocabulary_file))
            if adapted:  # last, so that the other weights are the same without adapters
                self._adapt(adapted)
        for tower in self.frozen_towers:
            self.encoder(tower).eval().requires_grad_(False)
        self.log_logit_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def _draw_towers(self, image: EncoderChoice, text: EncoderChoice, vocabulary_size: int) -> None:
        image_size, max_tokens = self.configuration["image_size"], self.configuration["max_tokens"]
        with blamed_on("image_encoder"):
            self.image = self._tower(image_tower(image, image_size=image_size))
        with blamed_on("text_encoder"):
            limits = {"vocabulary_size": vocabulary_size, "max_tokens": max_tokens}
            self.text = self._tower(text_tower(text, **limits))

    def _adapt(self, settings: AdapterSettings) -> None:
        learning = {f"{name}_encoder": self.encoder(name) for name in TOWERS if name not in self.frozen_towers}
        rule, remedy = "be null where both encoders are frozen", "Leave adapters out, or frozen at one encoder."
        require(bool(learning), "adapters", rule, got=settings, where=WHERE, remedy=remedy)
        add_adapters(learning, settings)

    def _tower(self, parts: TowerParts) -> nn.ModuleDict:
        hidden, dim = self.configuration["projection_hidden"], self.configuration["embedding_dim"]
        alignment = AlignmentModule(
            parts.block, width=parts.width, hidden=hidden, embedding_dim=dim, pooling=parts.pooling
        )
        return nn.ModuleDict({"encoder": parts.encoder, "alignment": alignment})

    @property
    def frozen_towers(self) -> tuple[str, ...]:
        """The towers, of ``image`` and ``text``, whose encoder is never trained."""
        return tuple(name for name in TOWERS if self.configuration[f"{name}_encoder"].get("frozen", False))

    def encoder(self, tower: str) -> nn.Module:
        """The encoder of the tower ``image`` or ``text``: all layers before its alignment module."""
        return (self.image if tower == "image" else self.text)["encoder"]

    def train(self, mode: bool = True) -> Self:
        """Sets the mode of the model. Frozen encoders stay in evaluation mode, without dropout or batch statistics.

        Their weights take no gradient, so no activations are stored for them, and no update changes them.
        """
        super().train(mode)
        for tower in self.frozen_towers if mode else ():
            self.encoder(tower).eval()
        return self

    @property
    def logit_scale(self) -> Tensor:
        """The inverse temperature, a scalar in (0, 100].

        The limit clips the value but not the gradient, so that a larger scale can decrease again.
        """
        value = self.log_logit_scale.detach()
        limited = value.clamp(max=math.log(LARGEST_LOGIT_SCALE))
        return (limited + (self.log_logit_scale - value)).exp()

    def image_features(self, images: Tensor) -> Tensor:
        """Encoder output of images (B, 1, H, W) in [-1, 1] → (B, T, F)."""
        features: Tensor = self.image["encoder"](images)
        return features

    def text_features(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Encoder output of token ids (B, T) with mask (B, T), true at real tokens → (B, T, F)."""
        features: Tensor = self.text["encoder"](token_ids, mask)
        return features

    def align(self, image_features: Tensor, text_features: Tensor, mask: Tensor) -> Embeddings:
        """Embeddings (B, D) of encoder outputs, by the alignment modules only."""
        return Embeddings(self.image["alignment"](image_features), self.text["alignment"](text_features, mask))

    def forward(self, images: Tensor, token_ids: Tensor, mask: Tensor) -> Embeddings:
        """Unit-norm embeddings (B, D) of images and texts."""
        return self.align(self.image_features(images), self.text_features(token_ids, mask), mask)


class AlignmentModule(nn.Module):
    """Features → unit-norm embeddings: the part of a tower that the alignment phase trains and averages.

    Args:
        block: features (B, T, F) and mask → features (B, T, F).
        width: F.
        hidden: width of the hidden layer of the projection head.
        embedding_dim: D.
        pooling: features and mask → (B, F); None for the mean over the real tokens.
    """

    def __init__(
        self, block: nn.Module, *, width: int, hidden: int, embedding_dim: int, pooling: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.block = block
        self.pooling = pooling or Pooling()
        self.projection = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, embedding_dim))

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Unit-norm embeddings (B, D), at least float32; padding (mask false) has no effect."""
        projected = self.projection(self.pooling(self.block(features, mask), mask))
        return functional.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=-1)
