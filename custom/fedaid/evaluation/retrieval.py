"""Retrieval: does an image find its report, and a report its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, expanded_level, interval, patient_weights, weighted_mean
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.models.dual_encoder import Embeddings

Floats = NDArray[np.floating]
CUT_OFFS = (1, 5, 10)


class Ranks(NamedTuple):
    """How soon each query of a split finds its answer, from 0: N images, M different texts, and the text of each image.

    The hits at k of the queries are ``ranks.image < k`` and ``ranks.text < k``.
    """

    image: NDArray[np.int64]
    text: NDArray[np.int64]
    text_of_image: NDArray[np.int64]


def recall_at(ranks: NDArray[np.int64], k: int) -> float:
    """Share of queries whose best correct answer has a rank below ``k``, in [0, 1]; ranks count from 0."""
    return float((ranks < k).mean())


def best_ranks(similarity: Floats, correct: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each query the rank of its best correct answer, 0 for the first place; ties and NaN count against it.

    Args:
        similarity: (Q, A), higher is nearer.
        correct: (Q, A), each row with at least one true.

    Returns:
        Shape (Q,): the number of wrong answers that are at least as near as the best correct one.
    """
    best = np.where(correct, similarity, -np.inf).max(axis=1, keepdims=True)
    ranks: NDArray[np.int64] = (~(similarity < best) & ~correct).sum(axis=1)  # so that a NaN counts against, too
    return ranks


def retrieval_ranks(image_embeddings: Floats, text_embeddings: Floats, text_groups: NDArray[np.int64]) -> Ranks:
    """The ranks of the best correct answers both ways, duplicate texts collapsed to one.

    An image finds its report if any text of its group is among the first k of the M different texts; a text finds its
    image if any image with that text is among the first k of the N images.

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
    """Recall at k both ways; arguments as of :func:`retrieval_ranks`. Blind guessing gives about k/M either way.

    Returns:
        ``image_to_text_recall_at_K``, ``text_to_image_recall_at_K`` and their mean ``recall_at_K``, in [0, 1].
    """
    return recalls(retrieval_ranks(image_embeddings, text_embeddings, text_groups), ks=ks)


def recalls(ranks: Ranks, *, ks: Sequence[int] = CUT_OFFS) -> dict[str, float]:
    """Recall at k both ways, under the names of :func:`retrieval`."""
    out: dict[str, float] = {}
    for k in ks:
        there, back = recall_at(ranks.image, k), recall_at(ranks.text, k)
        out |= {f"image_to_text_recall_at_{k}": there, f"text_to_image_recall_at_{k}": back}
        out[f"recall_at_{k}"] = (there + back) / 2
    return out


def batch_accuracy(ranks: Ranks, *, batch_size: int) -> float:
    """How often a query's best correct answer beats all wrong ones of a random batch, mean of both ways, in [0, 1].

    Recall at k falls as a split grows; this does not, so that sites of unequal size compare. It is the mean over all
    batches, not over some that are drawn: of W wrong answers r are nearer than the best correct one, and none of these
    is among the B − 1 that stand beside it with probability C(W − r, B − 1) / C(W, B − 1). Blind guessing gives 1/B.

    Args:
        ranks: of all studies of a split.
        batch_size: B, at least 1; a query with fewer wrong answers is asked against all of them.
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
    """C(W − r, b) / C(W, b) with b at most W: that of b answers drawn from W wrong ones none is among the r nearer."""
    draws = np.arange(beside)
    left = wrong[:, None] - draws  # before each draw
    kept = np.where(left > 0, np.maximum(left - ranks[:, None], 0) / np.maximum(left, 1), 1.0)
    chance: NDArray[np.float64] = kept.prod(axis=1)
    return chance


def resampled_retrieval(
    ranks: Ranks, weights: NDArray[np.float64], *, ks: Sequence[int] = CUT_OFFS
) -> dict[str, NDArray[np.float64]]:
    """Recall at k both ways on each resample of the patients.

    Queries are drawn; the answers among which they look stay. A text counts with the mean weight of its studies, so
    that without a draw the recalls are those of :func:`retrieval`.

    Args:
        ranks: of all studies.
        weights: (R, N) of the studies, see :mod:`fedaid.evaluation.bootstrap`.
        ks: cut-offs.

    Returns:
        The names of :func:`retrieval`, each with an array (R,); NaN where no study has a weight.
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
    """R@5, the mean of both ways, of one model minus that of another, with its interval over patients.

    The value is the difference of what the suite gives for either. A mean over studies, as ``paired_difference`` takes
    it, would not be: from report to image each different text is one query.

    Args:
        ranks: of all test studies under the one model.
        other: of the same studies in the same order under the other.
        patients: (N,), equal for studies of one patient.
        settings: draws, seed and level; the interval is as wide as the number of patients asks for.
    """
    weights = patient_weights(patients, draws=settings.draws, seed=settings.seed)
    found, before = (resampled_retrieval(one, weights, ks=(CUT_OFF,))[METRIC] for one in (ranks, other))
    level = expanded_level(settings.level, count=len(np.unique(patients)))
    return interval(found - before, level=level)
