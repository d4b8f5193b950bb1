"""A model's retrieval on test studies, study by study, so that patients can be resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom

from admin.study.compare.class_scores import ClassScores
from admin.study.compare.sites import EvaluationSet
from fedaid.evaluation.retrieval import retrieval_ranks
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.validation import embed

BATCH = 64
K = 5  # of recall at K


@dataclass(frozen=True)
class Hits:
    """The retrieval hits of a test set.

    Attributes:
        patients: (N,) number of the study's patient.
        to_text: (N,) 1 where the image found its report among the first K different texts.
        to_image: (N,) 1 where the report found an image of its text among the first K images.
        share: (N,) one over the number of studies with the same text, so that each text counts once.
    """

    patients: NDArray[np.int64]
    to_text: NDArray[np.int64]
    to_image: NDArray[np.int64]
    share: NDArray[np.float64]
    metric: ClassVar[str] = "recall_at_5"

    def points(self, times: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return recall at K, the mean of both directions, in points (0 to 100).

        Args:
            times: (…, N) how often each study counts; None counts each once.
        """
        times = np.ones(len(self.patients)) if times is None else times
        texts = times * self.share
        there = (times * self.to_text).sum(axis=-1) / times.sum(axis=-1)
        back = (texts * self.to_image).sum(axis=-1) / texts.sum(axis=-1)
        recall: NDArray[np.float64] = 50 * (there + back)
        return recall

    @property
    def chance(self) -> float:
        """The recall of a random guess, in points; ``share`` adds up to the number of different texts.

        An image finds its text among the first K with probability K over the number of texts. A text misses its m
        images if all K are among the other N − m; the hypergeometric distribution gives this probability.
        """
        texts, studies = float(self.share.sum()), len(self.share)
        found = hypergeom.sf(0, studies, np.rint(1 / self.share), min(K, studies))
        return 50 * (min(1.0, K / texts) + float((self.share * found).sum()) / texts)

    def as_json(self) -> dict[str, list[float]]:
        """Return plain JSON for :func:`hits_from`."""
        return {name: getattr(self, name).tolist() for name in ("patients", "to_text", "to_image", "share")}


Scored = Hits | ClassScores


def hits_from(stored: Mapping[str, list[Any]]) -> Scored:
    """Return the hits or class scores that their ``as_json`` wrote."""
    kind = Hits if "to_text" in stored else ClassScores
    return kind(**{name: np.array(values) for name, values in stored.items()})


def judge(model: DualEncoder, tests: Mapping[str, EvaluationSet]) -> dict[str, Hits]:
    """Return test set → hits of a model."""
    return {name: hits(model, test) for name, test in tests.items()}


def hits(model: DualEncoder, test: EvaluationSet) -> Hits:
    """Return a model's hits on one test set; ``fedaid.evaluation.retrieval`` ranks, equal texts count as one."""
    image, text = (side.numpy() for side in embed(model, test.dataset, batch_size=BATCH))
    ranks = retrieval_ranks(image, text, test.dataset.text_groups)
    group, back = ranks.text_of_image, ranks.text < K
    share = 1 / np.bincount(group)[group]
    return Hits(test.patients, (ranks.image < K).astype(np.int64), back[group].astype(np.int64), share)


def hits_after(result: Mapping[str, Any], rounds: int | None = None) -> dict[str, list[Scored]]:
    """Return test set → hits or class scores of the models that a trial selected within its first ``rounds`` rounds.

    None means all rounds.

    Schedules do not depend on the total number of rounds, except in methods that name a round. The first rounds of a
    long run therefore equal a short run.
    """
    found: dict[str, list[Scored]] = {}
    for by_round in result["models"].values():
        last = max(int(number) for number in by_round if rounds is None or int(number) <= rounds)
        for test, hits in by_round[str(last)].items():
            found.setdefault(test, []).append(hits_from(hits))
    return found


def loaded(model: DualEncoder, tensors: Mapping[str, NDArray[Any]]) -> DualEncoder:
    """Load other weights into the model and return it."""
    model.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()})
    return model
