"""The embedding space in two dimensions, by site and modality, before and after training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from admin.results.report.figures import pairs_chart

MOST_PAIRS = 600
"""Pairs of all sites together in one picture, so that the page stays small."""

Floats = NDArray[np.floating[Any]]
Pairs = tuple[Floats, Floats]
"""Image and text embeddings of N pairs, unit-norm, (N, D) each."""


def drawn_pairs(pairs: Mapping[str, Pairs], *, seed: int = 0) -> dict[str, Pairs]:
    """Return the pairs that are shown of each site: all, or an equal share of :data:`MOST_PAIRS` drawn at random."""
    most, generator = MOST_PAIRS // max(1, len(pairs)), np.random.default_rng(seed)
    out = {}
    for site, (image, text) in pairs.items():
        kept = np.sort(generator.permutation(len(image))[:most])
        out[site] = (image[kept], text[kept])
    return out


def embedding_picture(pairs: Mapping[str, Pairs]) -> tuple[Figure, dict[str, float]]:
    """Return a figure of the pairs of all sites, and the numbers that belong to it.

    The axes are the first two principal components of all embeddings together.

    Args:
        pairs: site → pairs; at least two studies in all.

    Returns:
        The figure; and ``explained``, the share of the variance along the two components, with ``pair_cosine`` and
        ``other_cosine``, the mean cosine of an image with its own report and with another report of its site.
    """
    everything = np.concatenate([part for both in pairs.values() for part in both])
    fitted = PCA(2, random_state=0).fit(everything)
    figure = pairs_chart([(fitted.transform(image), fitted.transform(text)) for image, text in pairs.values()])
    return figure, {"explained": float(fitted.explained_variance_ratio_.sum()), **cosines(list(pairs.values()))}


def cosines(pairs: Sequence[Pairs]) -> dict[str, float]:
    """Return the mean cosine of an image with its own report, and with the other reports of its site."""
    own, other, others = 0.0, 0.0, 0
    for image, text in pairs:
        similarity = image @ text.T
        own += float(np.trace(similarity))
        other += float(similarity.sum() - np.trace(similarity))
        others += len(image) * (len(image) - 1)
    return {"pair_cosine": own / sum(len(image) for image, _ in pairs), "other_cosine": other / max(1, others)}
