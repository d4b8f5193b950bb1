"""What a model reaches on test studies, study by study, so that patients can be resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom

from admin.study.compare.sites import EvaluationSet
from fedaid.evaluation.retrieval import retrieval_ranks
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.validation import embed

BATCH = 64
K = 5  # of recall at K


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

    @property
    def chance(self) -> float:
        """What a blind guess reaches, in points; ``share`` adds up to the number of different texts.

        An image finds its text among the first K with the chance K over the number of texts. A text finds one of its m
        images among the first K of all N unless all K are of the other N − m: the hypergeometric distribution.
        """
        texts, studies = float(self.share.sum()), len(self.share)
        found = hypergeom.sf(0, studies, np.rint(1 / self.share), min(K, studies))
        return 50 * (min(1.0, K / texts) + float((self.share * found).sum()) / texts)

    def as_json(self) -> dict[str, list[float]]:
        """Plain JSON, for :func:`hits_from`."""
        return {name: getattr(self, name).tolist() for name in ("patients", "to_text", "to_image", "share")}


def hits_from(stored: Mapping[str, list[float]]) -> Hits:
    """What :meth:`Hits.as_json` has written."""
    return Hits(**{name: np.array(values) for name, values in stored.items()})


def judge(model: DualEncoder, tests: Mapping[str, EvaluationSet]) -> dict[str, Hits]:
    """Test set → hits of a model."""
    return {name: hits(model, test) for name, test in tests.items()}


def hits(model: DualEncoder, test: EvaluationSet) -> Hits:
    """Hits of a model on one test set; retrieval is that of ``fedaid.evaluation.retrieval``, duplicates collapsed."""
    image, text = (side.numpy() for side in embed(model, test.dataset, batch_size=BATCH))
    ranks = retrieval_ranks(image, text, test.dataset.text_groups)
    group, back = ranks.text_of_image, ranks.text < K
    share = 1 / np.bincount(group)[group]
    return Hits(test.patients, (ranks.image < K).astype(np.int64), back[group].astype(np.int64), share)


def hits_after(result: Mapping[str, Any], rounds: int | None = None) -> dict[str, list[Hits]]:
    """Test set → hits of the models that are tested there, as chosen in the first rounds of a trial; None for all.

    No schedule knows how many rounds there will be, but for those of the methods that name a round of their own; so
    the first rounds of a long run are a short one.
    """
    found: dict[str, list[Hits]] = {}
    for by_round in result["models"].values():
        last = max(int(number) for number in by_round if rounds is None or int(number) <= rounds)
        for test, hits in by_round[str(last)].items():
            found.setdefault(test, []).append(hits_from(hits))
    return found


def loaded(model: DualEncoder, tensors: Mapping[str, NDArray[Any]]) -> DualEncoder:
    """The model with other weights."""
    model.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()})
    return model
