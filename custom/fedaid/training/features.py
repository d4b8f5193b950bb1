"""Encoder outputs, computed once per sample and kept while the encoders are frozen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from fedaid.data.dataset import StudyDataset
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import plain_batches


class Features(NamedTuple):
    """Encoder outputs of B samples: image (B, T, F), text (B, T', F'), mask (B, T') true at real tokens."""

    image: Tensor
    text: Tensor
    mask: Tensor


class FeatureStore:
    """Features of a dataset's samples under a model whose encoders do not change while the store is used.

    They are those of the unaugmented view: a store that is asked for a sample twice must give the same.
    """

    def __init__(self, model: DualEncoder, dataset: StudyDataset, *, batch_size: int) -> None:
        self._model = model
        self._dataset = dataset
        self._batch_size = batch_size
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, rows: NDArray[np.int64]) -> Features:
        """Features of the given rows, in their order, padded to the longest text among them."""
        self._compute(np.array([row for row in rows if int(row) not in self._kept], dtype=np.int64))
        kept = [self._kept[int(row)] for row in rows]
        lengths = torch.tensor([len(text) for _, text in kept])
        text = pad_sequence([text for _, text in kept], batch_first=True)
        mask = (torch.arange(text.shape[1]) < lengths[:, None]).to(text.device)
        return Features(torch.stack([image for image, _ in kept]), text, mask)

    @torch.no_grad()
    def _compute(self, missing: NDArray[np.int64]) -> None:
        if not len(missing):
            return
        device = self._model.log_logit_scale.device
        done = iter(missing)
        for batch in plain_batches(self._dataset, missing, batch_size=self._batch_size):
            images, token_ids, mask = batch.to(device).inputs
            image, text = self._model.image_features(images), self._model.text_features(token_ids, mask)
            for one_image, one_text, real, row in zip(image, text, mask, done, strict=False):
                self._kept[int(row)] = (one_image.clone(), one_text[real].clone())
