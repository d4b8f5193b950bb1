"""What a model reaches on test studies, study by study, so that patients can be resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from admin.compare.sites import EvaluationSet
from fedaid.evaluation.retrieval import best_ranks
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.validation import embed

BATCH = 64


@dataclass(frozen=True)
class Hits:
    """Whether each study of a test set was found.

    Attributes:
        patients: (N,) number of the study's patient.
        to_text: (N,) 1 where the image found its report among the first K different texts.
        to_image: (N,) 1 where the report found an image of its text among the first K images.
        share: (N,) one over the number of studies with the same text: a text asked once counts once.
    """

    patients: NDArray[np.int64]
    to_text: NDArray[np.int64]
    to_image: NDArray[np.int64]
    share: NDArray[np.float64]

    def recall(self, times: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Recall at K, the mean of both ways, in points (0 to 100).

        Args:
            times: (…, N) how often each study is counted; None for once.
        """
        times = np.ones(len(self.patients)) if times is None else times
        texts = times * self.share
        there = (times * self.to_text).sum(axis=-1) / times.sum(axis=-1)
        back = (texts * self.to_image).sum(axis=-1) / texts.sum(axis=-1)
        recall: NDArray[np.float64] = 50 * (there + back)
        return recall

    def as_json(self) -> dict[str, list[float]]:
        """Plain JSON, for :func:`hits_from`."""
        return {name: getattr(self, name).tolist() for name in ("patients", "to_text", "to_image", "share")}


def hits_from(stored: Mapping[str, list[float]]) -> Hits:
    """What :meth:`Hits.as_json` has written."""
    return Hits(**{name: np.array(values) for name, values in stored.items()})


def judge(model: DualEncoder, tests: Mapping[str, EvaluationSet], *, k: int = 5) -> dict[str, Hits]:
    """Test set → hits of a model at rank ``k``."""
    return {name: hits(model, test, k=k) for name, test in tests.items()}


def hits(model: DualEncoder, test: EvaluationSet, *, k: int) -> Hits:
    """Hits of a model on one test set; retrieval is that of ``fedaid.evaluation.retrieval``, duplicates collapsed."""
    image, text = (side.numpy() for side in embed(model, test.dataset, batch_size=BATCH))
    groups = test.dataset.text_groups
    _, first, group, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    similarity = image @ text[first].T
    correct = group[:, None] == np.arange(len(first))[None, :]
    there, back = best_ranks(similarity, correct) < k, best_ranks(similarity.T, correct.T) < k
    return Hits(test.patients, there.astype(np.int64), back[group].astype(np.int64), 1 / sizes[group])


def loaded(model: DualEncoder, tensors: Mapping[str, NDArray[Any]]) -> DualEncoder:
    """The model with other weights."""
    model.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()})
    return model
