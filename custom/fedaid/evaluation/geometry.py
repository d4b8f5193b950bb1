"""Geometry of the embeddings on the sphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
BLOCK = 1024  # rows whose similarities to all others are in memory at the same time


def alignment(image_embeddings: Floats, text_embeddings: Floats) -> float:
    """Mean squared distance of the two embeddings of a study, in [0, 4]; lower is closer.

    Args:
        image_embeddings: unit-norm (N, D).
        text_embeddings: unit-norm (N, D), row n of the same study.

    Source: L_align of Wang and Isola, arXiv:2005.10242, section 4.1, with α = 2, the pair being image and report.
    """
    return float(((image_embeddings - text_embeddings) ** 2).sum(axis=1).mean())


def uniformity(embeddings: Floats) -> float:
    """Logarithm of the mean Gaussian potential over all pairs of studies, in [-8, 0]; lower is more evenly spread.

    Args:
        embeddings: unit-norm (N, D) of one modality, N at least 2.

    Source: L_uniform of Wang and Isola, arXiv:2005.10242, section 4.1, with t = 2, over distinct pairs as in their
        code. On the sphere −2‖x − y‖² is 4 x·y − 4.
    """
    rows = embeddings.astype(np.float64)
    blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    potential = sum(float(np.exp(4 * block @ rows.T - 4).sum()) for block in blocks)
    own = float(np.exp(4 * (rows**2).sum(axis=1) - 4).sum())
    return float(np.log((potential - own) / (len(rows) * (len(rows) - 1))))


def modality_gap(image_embeddings: Floats, text_embeddings: Floats) -> float:
    """Distance between the mean image and the mean text embedding, in [0, 2].

    Source: Δ_gap of Liang et al., arXiv:2203.02053, as a length.
    """
    return float(np.linalg.norm(image_embeddings.mean(axis=0) - text_embeddings.mean(axis=0)))
