"""The teacher: the model with the ideal alignment, whose embeddings the student is bound to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import Inputs, micro_batches
from fedaid.training.features import FeatureStore
from fedaid.training.hardware import autocast
from fedaid.training.settings import TrainingSettings

Rows = NDArray[np.int64]
Teacher = Callable[[Rows, Inputs], Embeddings]


class KeptTeacher:
    """Embeds every sample of the phase once, without augmentation; create it while the model is still the teacher.

    A sample of the alignment phase needs no encoder pass, another sample one. There is no second model: only two
    embeddings of each sample stay in memory.
    """

    def __init__(
        self, model: DualEncoder, features: FeatureStore, settings: TrainingSettings, *, check: Callable[[], None]
    ) -> None:
        self._at: dict[int, int] = {}
        parts: list[Embeddings] = []
        model.eval()
        device = model.log_logit_scale.device
        rows = np.concatenate(features.step_rows[: settings.pretrain_steps])
        for chunk in features.chunks(rows):
            check()
            with torch.no_grad(), autocast(settings.precision, device):
                parts.append(model.align(*features.once(chunk)))
            self._at |= {int(row): len(self._at) + i for i, row in enumerate(chunk)}
        self._image = torch.cat([part.image for part in parts])
        self._text = torch.cat([part.text for part in parts])

    def __call__(self, rows: Rows, inputs: Inputs | None = None) -> Embeddings:
        """Embeddings (B, D) of the samples; their augmented view in ``inputs`` is not used."""
        at = torch.tensor([self._at[int(row)] for row in rows], device=self._image.device)
        return Embeddings(self._image[at], self._text[at])


class FreshTeacher:
    """Embeds the student's augmented view with a frozen copy of the model: one more forward pass for each batch."""

    def __init__(self, model: DualEncoder, settings: TrainingSettings) -> None:
        self._model, self._settings = frozen_copy(model), settings

    @torch.no_grad()
    def __call__(self, rows: Rows, inputs: Inputs) -> Embeddings:
        """Embeddings (B, D) of the augmented views in ``inputs``."""
        parts = micro_batches(inputs, self._settings.pairs_at_once)
        with autocast(self._settings.precision, inputs[0].device):
            embedded = [self._model(*part) for part in parts]
        return Embeddings(torch.cat([part.image for part in embedded]), torch.cat([part.text for part in embedded]))


def frozen_copy(model: DualEncoder) -> DualEncoder:
    """A copy of the model in evaluation mode (without dropout, with fixed batch statistics) that takes no gradient."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def encoders(model: DualEncoder) -> tuple[nn.Module, nn.Module]:
    """The encoders of both towers."""
    return model.image["encoder"], model.text["encoder"]


@contextmanager
def frozen_encoders(model: DualEncoder) -> Iterator[None]:
    """Puts the model into training mode; inside the block its encoders are frozen and in evaluation mode."""
    model.train()
    trained = [weight for encoder in encoders(model) for weight in encoder.parameters() if weight.requires_grad]
    for encoder in encoders(model):
        encoder.eval().requires_grad_(False)
    try:
        yield
    finally:
        for weight in trained:
            weight.requires_grad_(True)
