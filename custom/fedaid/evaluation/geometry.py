"""Geometry of the embeddings on the sphere, computed on all resamples of the patients together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import weighted_mean

Floats = NDArray[np.floating]
Weights = NDArray[np.float64]
BLOCK = 1024  # rows whose similarities to all others are in memory at the same time


def alignment(image_embeddings: Floats, text_embeddings: Floats, weights: Weights) -> Weights:
    """Mean squared distance of the two embeddings of a study, in [0, 4]; lower is closer.

    Args:
        image_embeddings: unit-norm (N, D).
        text_embeddings: unit-norm (N, D), row n of the same study.
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.

    Returns:
        Shape (R,).

    Source: L_align of Wang and Isola, arXiv:2005.10242, section 4.1, with α = 2, the pair being image and report.
    """
    return weighted_mean(((image_embeddings - text_embeddings) ** 2).sum(axis=1), weights)


def uniformity(embeddings: Floats, patients: NDArray[np.int64], weights: Weights) -> Weights:
    """Logarithm of the mean Gaussian potential over all pairs of studies, in [-8, 0]; lower is more evenly spread.

    A study is never paired with itself. So in a resample the copies of one patient are not paired with each other:
    their distance of 0 would make every resample less evenly spread than the data.

    Args:
        embeddings: unit-norm (N, D) of one modality.
        patients: (N,), equal for studies of one patient.
        weights: (R, N), equal for studies of one patient.

    Returns:
        Shape (R,); NaN for a row without a pair.

    Source: L_uniform of Wang and Isola, arXiv:2005.10242, section 4.1, with t = 2, over distinct pairs as in their
        code. On the sphere −2‖x − y‖² is 4 x·y − 4.
    """
    rows = embeddings.astype(np.float64)
    potential, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        same = patients[block, None] == patients
        kernel, weight = np.exp(4 * rows[block] @ rows.T - 4), weights[:, block]
        own = np.exp(4 * (rows[block] ** 2).sum(axis=1) - 4)
        within, beside = (kernel * same).sum(axis=1) - own, weights @ (kernel * ~same).T
        potential += (weight * (within + beside)).sum(axis=1)
        pairs += (weight * (same.sum(axis=1) - 1 + weights @ (~same).T)).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, np.log(potential / pairs), np.nan)


def modality_gap(image_embeddings: Floats, text_embeddings: Floats, weights: Weights) -> Weights:
    """Distance between the mean image and the mean text embedding, (R,) in [0, 2]; arguments as of :func:`alignment`.

    Source: Δ_gap of Liang et al., arXiv:2203.02053, as a length.
    """
    gap: Weights = np.linalg.norm(weighted_mean(image_embeddings - text_embeddings, weights), axis=1)
    return gap
