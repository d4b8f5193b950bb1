"""Retrieval: does an image find its report, and a report its image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


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


def retrieval(
    image_embeddings: Floats, text_embeddings: Floats, text_groups: NDArray[np.int64], *, ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """Recall at k both ways, duplicate texts collapsed to one.

    An image finds its report if any text of its group is among the first k of the M different texts; a text finds its
    image if any image with that text is among the first k of the N images. Blind guessing gives about k/M and k/N.

    Args:
        image_embeddings: unit-norm (N, D).
        text_embeddings: unit-norm (N, D), row n the report of image n.
        text_groups: (N,), equal for equal texts.
        ks: cut-offs.

    Returns:
        ``image_to_text_recall_at_K``, ``text_to_image_recall_at_K`` and their mean ``recall_at_K``, in [0, 1].
    """
    _, first, group = np.unique(text_groups, return_index=True, return_inverse=True)
    similarity = image_embeddings @ text_embeddings[first].T
    correct = group[:, None] == np.arange(len(first))[None, :]
    image_ranks, text_ranks = best_ranks(similarity, correct), best_ranks(similarity.T, correct.T)
    out: dict[str, float] = {}
    for k in ks:
        there, back = recall_at(image_ranks, k), recall_at(text_ranks, k)
        out |= {f"image_to_text_recall_at_{k}": there, f"text_to_image_recall_at_{k}": back}
        out[f"recall_at_{k}"] = (there + back) / 2
    return out
