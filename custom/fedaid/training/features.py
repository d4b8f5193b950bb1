"""Encoder outputs, computed once per sample and kept while the encoders are frozen."""

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
MANY = 128  # pairs that are encoded at once where nothing limits the memory


class Features(NamedTuple):
    """Encoder outputs of B samples: image (B, T, F), text (B, T', F'), mask (B, T') true at real tokens."""

    image: Tensor
    text: Tensor
    mask: Tensor


class FeatureStore:
    """Features of the samples in a round's batches, under encoders that do not change while the store is used.

    They are those of the unaugmented view: a store that is asked for a sample twice must give the same. Which samples
    are computed together follows from the plan and the split alone (:func:`encoded_together`), never from what is kept
    already, so that a store that was lost is made again with the same bits. Only what is asked for is computed.

    Args:
        model: its encoders in evaluation mode whenever the store is asked.
        dataset: the site's training split.
        settings: of local training.
        plan: rows of the round's batches, (B,) each, in the order of both phases.
        folder: for what does not fit into ``feature_memory_mb``; None for the machine's temporary folder.
    """

    def __init__(
        self,
        model: DualEncoder,
        dataset: StudyDataset,
        settings: TrainingSettings,
        *,
        plan: Sequence[Rows],
        folder: Path | None = None,
    ) -> None:
        self.dataset, self.plan = dataset, plan
        self._model, self._precision = model, settings.precision
        lengths = np.array([len(ids) for ids in dataset.token_ids])
        self._chunks = encoded_together(plan, settings, lengths=lengths)
        self._chunk_of = {int(row): number for number, chunk in enumerate(self._chunks) for row in chunk}
        self._cache = FeatureCache(settings.feature_memory_mb * 2**20, folder)

    def of(self, rows: Rows) -> Features:
        """Features of the given rows of the plan, in their order, padded to the longest text among them."""
        for chunk in self.missing(rows):
            self._keep(chunk)
        return self._together([self._cache[int(row)] for row in rows])

    def groups(self, rows: Rows) -> Tensor:
        """(B,) on the model's device, equal for rows with the same text."""
        return torch.from_numpy(self.dataset.text_groups[rows]).to(self._model.log_logit_scale.device)

    def prepare(self, rows: Rows, *, check: Callable[[], None]) -> None:
        """Keeps what :meth:`once` will be asked for, as far as there is memory for it.

        Args:
            rows: of the plan.
            check: called before every chunk; raises to stop.
        """
        for chunk in self.missing(rows):
            check()
            if not self._cache.has_room_for(len(chunk)):
                return
            self._keep(chunk)

    def missing(self, rows: Rows) -> list[Rows]:
        """Those of the :meth:`chunks` of the given rows that are not kept."""
        return [chunk for chunk in self.chunks(rows) if int(chunk[0]) not in self._cache]

    def chunks(self, rows: Rows) -> list[Rows]:
        """Those samples that are computed together and hold the given rows, in the order of the plan."""
        return [self._chunks[number] for number in sorted({self._chunk_of[int(row)] for row in rows})]

    def once(self, chunk: Rows) -> Features:
        """Features of a chunk, kept ones or new ones; new ones are not kept."""
        if int(chunk[0]) in self._cache:
            return self.of(chunk)
        return self._together([(image, text) for _, image, text in self._compute(chunk)])

    def clear(self) -> None:
        """Forgets all features; call it when the encoders change."""
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


def encoded_together(plan: Sequence[Rows], settings: TrainingSettings, *, lengths: Rows) -> list[Rows]:
    """The rows of a plan in parts that are encoded at once.

    What phase one walks through is encoded batch by batch, when it is asked for. The rest only the teacher of phase two
    embeds, all of it before the first step: it has no order to keep, so texts of about one length come together, and
    many of them, since no activations are kept.

    Args:
        plan: rows of the round's batches.
        settings: T1, and how many pairs may lie in memory.
        lengths: of the text of each row of the split, in tokens, (N,).
    """
    new = first_visits(plan)
    rest = np.concatenate([np.empty(0, dtype=np.int64), *new[settings.align_steps :]])
    by_length = rest[np.argsort(lengths[rest], kind="stable")]
    size = settings.pairs_at_once
    many = size if settings.micro_batch_size else max(size, MANY)
    return [part for batch in new[: settings.align_steps] for part in parts(batch, size)] + parts(by_length, many)


def first_visits(plan: Sequence[Rows]) -> list[Rows]:
    """The rows of each batch that no earlier batch holds."""
    seen: set[int] = set()
    found: list[Rows] = []
    for batch in plan:
        found.append(np.array([row for row in batch if int(row) not in seen], dtype=np.int64))
        seen.update(found[-1].tolist())
    return found


def parts(rows: Rows, size: int) -> list[Rows]:
    """The rows in their order, at most ``size`` in a part."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
