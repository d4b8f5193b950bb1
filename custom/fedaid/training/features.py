"""Encoder outputs, computed once for each sample and cached while the encoders are frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from fedaid.data.dataset import StudyDataset
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import plain_batches
from fedaid.training.feature_cache import FeatureCache
from fedaid.training.hardware import autocast
from fedaid.training.settings import TrainingSettings

Rows = NDArray[np.int64]
MANY = 128  # pairs that are encoded together if no setting limits the memory


class Features(NamedTuple):
    """Encoder outputs of B samples: image (B, T, F), text (B, T', F'), mask (B, T') true at real tokens."""

    image: Tensor
    text: Tensor
    mask: Tensor


class FeatureStore:
    """Features of the samples in a round's batches; the encoders must not change while the store is used.

    The features are those of the view without augmentation, so that they are the same in every step. The rows and the
    split alone decide which samples are encoded together (:func:`encoded_together`), not the state of the cache. So a
    lost store can be computed again with the same bits. Features are computed only when they are needed.

    Args:
        model: its encoders must be in evaluation mode whenever features are computed.
        dataset: the site's training split.
        settings: of local training.
        step_rows: rows of the batch of each step, (B,); both phases use them from the first one on.
        folder: for features beyond ``feature_memory_mb``; None for the machine's temporary folder.
    """

    def __init__(
        self,
        model: DualEncoder,
        dataset: StudyDataset,
        settings: TrainingSettings,
        *,
        step_rows: Sequence[Rows],
        folder: Path | None = None,
    ) -> None:
        self.dataset, self.step_rows = dataset, step_rows
        self._model, self._precision = model, settings.precision
        lengths = np.array([len(ids) for ids in dataset.token_ids])
        self._chunks = encoded_together(step_rows, settings, lengths=lengths)
        self._chunk_of = {int(row): number for number, chunk in enumerate(self._chunks) for row in chunk}
        self._cache = FeatureCache(settings.feature_memory_mb * 2**20, folder)

    def of(self, rows: Rows) -> Features:
        """Features of these rows of the round, in their order, padded to their longest text."""
        for chunk in self.missing(rows):
            self._keep(chunk)
        return self._together([self._cache[int(row)] for row in rows])

    def groups(self, rows: Rows) -> Tensor:
        """(B,) on the model's device, equal for rows with the same text."""
        return torch.from_numpy(self.dataset.text_groups[rows]).to(self._model.log_logit_scale.device)

    def prepare(self, rows: Rows, *, check: Callable[[], None]) -> None:
        """Computes and caches the features that :meth:`once` will need, while there is memory for them.

        Args:
            rows: of the round.
            check: called before every chunk; raises to stop.
        """
        for chunk in self.missing(rows):
            check()
            if not self._cache.has_room_for(len(chunk)):
                return
            self._keep(chunk)

    def missing(self, rows: Rows) -> list[Rows]:
        """The :meth:`chunks` of these rows that are not cached."""
        return [chunk for chunk in self.chunks(rows) if int(chunk[0]) not in self._cache]

    def chunks(self, rows: Rows) -> list[Rows]:
        """The groups of samples encoded together that contain these rows, in the order of the steps."""
        return [self._chunks[number] for number in sorted({self._chunk_of[int(row)] for row in rows})]

    def once(self, chunk: Rows) -> Features:
        """Features of a chunk, from the cache or newly computed; new ones are not cached."""
        if int(chunk[0]) in self._cache:
            return self.of(chunk)
        return self._together([(image, text) for _, image, text in self._compute(chunk)])

    def clear(self) -> None:
        """Empties the cache; call it when the encoders change."""
        self._cache.clear()

    def _keep(self, chunk: Rows) -> None:
        for row, image, text in self._compute(chunk):
            self._cache[row] = (image, text)

    def _together(self, features: list[tuple[Tensor, ...]]) -> Features:
        device = self._model.log_logit_scale.device
        lengths = torch.tensor([len(text) for _, text in features])
        text = pad_sequence([text for _, text in features], batch_first=True)
        mask = torch.arange(text.shape[1]) < lengths[:, None]
        image = torch.stack([image for image, _ in features])
        return Features(image.to(device), text.to(device), mask.to(device))

    @torch.no_grad()
    def _compute(self, chunk: Rows) -> list[tuple[int, Tensor, Tensor]]:
        device = self._model.log_logit_scale.device
        (batch,) = plain_batches(self.dataset, chunk, batch_size=len(chunk))
        images, token_ids, mask = batch.to(device).inputs
        with autocast(self._precision, device):
            image, text = self._model.image_features(images), self._model.text_features(token_ids, mask)
        return [(int(row), image[i].cpu(), text[i][mask[i]].cpu()) for i, row in enumerate(chunk)]


def encoded_together(step_rows: Sequence[Rows], settings: TrainingSettings, *, lengths: Rows) -> list[Rows]:
    """The rows of a round in parts that are encoded together.

    The samples of phase one are encoded batch by batch, when they are needed. Only the teacher of phase two embeds the
    other samples, all of them before the first step. Their order is free, so texts of similar length are together, and
    the parts are large, because no activations are stored.

    Args:
        step_rows: rows of the batch of each step.
        settings: T1, and the number of pairs in memory.
        lengths: of the text of each row of the split, in tokens, (N,).
    """
    new = first_visits(step_rows)
    rest = np.concatenate([np.empty(0, dtype=np.int64), *new[settings.align_steps :]])
    by_length = rest[np.argsort(lengths[rest], kind="stable")]
    size = settings.pairs_at_once
    many = size if settings.micro_batch_size else max(size, MANY)
    return [part for batch in new[: settings.align_steps] for part in parts(batch, size)] + parts(by_length, many)


def first_visits(step_rows: Sequence[Rows]) -> list[Rows]:
    """The rows of each batch that are in no earlier batch."""
    seen: set[int] = set()
    found: list[Rows] = []
    for batch in step_rows:
        found.append(np.array([row for row in batch if int(row) not in seen], dtype=np.int64))
        seen.update(found[-1].tolist())
    return found


def parts(rows: Rows, size: int) -> list[Rows]:
    """The rows in their order, in parts of at most ``size``."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
