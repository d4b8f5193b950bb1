"""Retrieval: whether an image finds its report, and a report its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, expanded_level, interval, patient_weights, weighted_mean
from fedaid.evaluation.settings import EvaluationSettings

if TYPE_CHECKING:
    from fedaid.models.dual_encoder import Embeddings

Floats = NDArray[np.floating]
CUT_OFFS = (1, 5, 10)


class Ranks(NamedTuple):
    """The rank, from 0, at which each query finds its answer: N images, M different texts, and the text of each image.

    The hits at k of the queries are ``ranks.image < k`` and ``ranks.text < k``.
    """

    image: NDArray[np.int64]
    text: NDArray[np.int64]
    text_of_image: NDArray[np.int64]


def recall_at(ranks: NDArray[np.int64], k: int) -> float:
    """Share of queries whose best correct answer has a rank below ``k``, in [0, 1]; ranks count from 0."""
    return float((ranks < k).mean())


def best_ranks(similarity: Floats, correct: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each query the rank of its best correct answer, from 0; ties and NaN count as better wrong answers.

    Args:
        similarity: (Q, A), higher is closer.
        correct: (Q, A), each row with at least one true.

    Returns:
        Shape (Q,): the number of wrong answers that are at least as close as the best correct one.
    """
    best = np.where(correct, similarity, -np.inf).max(axis=1, keepdims=True)
    ranks: NDArray[np.int64] = (~(similarity < best) & ~correct).sum(
        axis=1
    )  # so that a NaN also counts as a better wrong answer
    return ranks


def retrieval_ranks(image_embeddings: Floats, text_embeddings: Floats, text_groups: NDArray[np.int64]) -> Ranks:
    """The ranks of the best correct answers in both directions; equal texts count once.

    An image finds its report if the text of its group is among the first k of the M different texts. A text finds its
    image if an image with that text is among the first k of the N images.

    Args:
        image_embeddings: unit-norm (N, D).
        text_embeddings: unit-norm (N, D), row n the report of image n.
        text_groups: (N,), equal for equal texts.
    """
    _, first, group = np.unique(text_groups, return_index=True, return_inverse=True)
    similarity = image_embeddings @ text_embeddings[first].T
    correct = group[:, None] == np.arange(len(first))[None, :]
    return Ranks(best_ranks(similarity, correct), best_ranks(similarity.T, correct.T), group)


def retrieval(
    image_embeddings: Floats,
    text_embeddings: Floats,
    text_groups: NDArray[np.int64],
    *,
    ks: Sequence[int] = CUT_OFFS,
) -> dict[str, float]:
    """Recall at k in both directions; arguments as of :func:`retrieval_ranks`. Random ranks give about k/M.

    Returns:
        ``image_to_text_recall_at_K``, ``text_to_image_recall_at_K`` and their mean ``recall_at_K``, in [0, 1].
    """
    return recalls(retrieval_ranks(image_embeddings, text_embeddings, text_groups), ks=ks)


def recalls(ranks: Ranks, *, ks: Sequence[int] = CUT_OFFS) -> dict[str, float]:
    """Recall at k in both directions, with the names of :func:`retrieval`."""
    out: dict[str, float] = {}
    for k in ks:
        there, back = recall_at(ranks.image, k), recall_at(ranks.text, k)
        out |= {f"image_to_text_recall_at_{k}": there, f"text_to_image_recall_at_{k}": back}
        out[f"recall_at_{k}"] = (there + back) / 2
    return out


def batch_accuracy(ranks: Ranks, *, batch_size: int) -> float:
    """How often the best correct answer of a query is first in a random batch, mean of both directions, in [0, 1].

    Recall at k decreases with the size of a split. This metric does not, so sites of different size can be compared. It
    is the exact mean over all batches: r of W wrong answers are closer than the best correct one, and the probability
    that none of them is among the B − 1 other answers of a batch is C(W − r, B − 1) / C(W, B − 1). Random ranks give
    1/B.

    Args:
        ranks: of all studies of a split.
        batch_size: B, at least 1; a query with fewer wrong answers is compared with all of them.
    """
    texts, studies = len(ranks.text), len(ranks.image)
    wrong_images = studies - np.bincount(ranks.text_of_image)
    there = chance_to_win(ranks.image, np.full(studies, texts - 1), beside=batch_size - 1)
    back = chance_to_win(ranks.text, wrong_images, beside=batch_size - 1)
    return float((there.mean() + back.mean()) / 2)


class Validated(Protocol):
    """A model on one split, as a site's worker measures it."""

    @property
    def loss(self) -> float:
        """Mean loss in nats, or NaN where the split is smaller than a batch."""

    @property
    def embeddings(self) -> Embeddings:
        """Unit-norm embeddings (N, D) of all studies."""

    @property
    def text_groups(self) -> NDArray[np.int64]:
        """(N,), equal for equal texts."""

    @property
    def batch_size(self) -> int:
        """B of the loss."""


def split_metrics(validated: Validated) -> dict[str, float]:
    """What a site reports of a model on one split: recalls, accuracy in a batch, number of studies, and any loss."""
    image, text = (embeddings.numpy() for embeddings in validated.embeddings)
    ranks = retrieval_ranks(image, text, validated.text_groups)
    accuracy = batch_accuracy(ranks, batch_size=validated.batch_size)
    metrics = recalls(ranks) | {"batch_accuracy": accuracy, "studies": float(len(image))}
    return metrics if np.isnan(validated.loss) else metrics | {"loss": validated.loss}


def chance_to_win(ranks: NDArray[np.int64], wrong: NDArray[np.int64], *, beside: int) -> NDArray[np.float64]:
    """C(W − r, b) / C(W, b), b at most W: the probability that b of W wrong answers contain none of the r closest."""
    draws = np.arange(beside)
    left = wrong[:, None] - draws  # before each draw
    kept = np.where(left > 0, np.maximum(left - ranks[:, None], 0) / np.maximum(left, 1), 1.0)
    chance: NDArray[np.float64] = kept.prod(axis=1)
    return chance


def resampled_retrieval(
    ranks: Ranks, weights: NDArray[np.float64], *, ks: Sequence[int] = CUT_OFFS
) -> dict[str, NDArray[np.float64]]:
    """Recall at k in both directions on each resample of the patients.

    Queries are resampled, answers are not. A text has the mean weight of its studies, so that without resampling the
    recalls are those of :func:`retrieval`.

    Args:
        ranks: of all studies.
        weights: (R, N) of the studies, see :mod:`fedaid.evaluation.bootstrap`.
        ks: cut-offs.

    Returns:
        The names of :func:`retrieval`, each with an array (R,); NaN if no study has a weight.
    """
    shared = weights / np.bincount(ranks.text_of_image)[ranks.text_of_image]
    cuts = np.array(ks)
    there = weighted_mean((ranks.image[:, None] < cuts).astype(np.float64), weights)
    back = weighted_mean((ranks.text[ranks.text_of_image][:, None] < cuts).astype(np.float64), shared)
    out: dict[str, NDArray[np.float64]] = {}
    for column, k in enumerate(ks):
        out |= {f"image_to_text_recall_at_{k}": there[:, column], f"text_to_image_recall_at_{k}": back[:, column]}
        out[f"recall_at_{k}"] = (there[:, column] + back[:, column]) / 2
    return out


METRIC, CUT_OFF = "recall_at_5", 5


def recall_difference(
    ranks: Ranks, other: Ranks, patients: NDArray[np.int64], settings: EvaluationSettings
) -> Interval:
    """R@5, the mean of both directions, of one model minus that of another, with its interval over patients.

    The value equals the difference of the two results of the suite. The mean over studies of ``paired_difference`` does
    not, because from report to image each different text is one query.

    Args:
        ranks: of all test studies under one model.
        other: of the same studies in the same order under the other model.
        patients: (N,), equal for studies of one patient.
        settings: draws, seed and level; the interval is corrected for the number of patients.
    """
    weights = patient_weights(patients, draws=settings.draws, seed=settings.seed)
    found, before = (resampled_retrieval(one, weights, ks=(CUT_OFF,))[METRIC] for one in (ranks, other))
    level = expanded_level(settings.level, count=len(np.unique(patients)))
    return interval(found - before, level=level)
