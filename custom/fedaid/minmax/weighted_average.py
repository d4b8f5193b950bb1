"""The weighted sum of the sites' updates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.generic]]


def renormalise(weights: Mapping[str, float], sites: list[str]) -> dict[str, float]:
    """Weights of the ``sites`` that answered, scaled to sum to 1; uniform if their sum is 0."""
    total = sum(weights[site] for site in sites)
    return {site: weights[site] / total if total > 0 else 1 / len(sites) for site in sites}


def weighted_sum(updates: Mapping[str, Tensors], weights: Mapping[str, float]) -> dict[str, NDArray[np.float64]]:
    """Σ α_i Δ_i, in float64 and in the order of site names, so that the order of arrival changes no bit.

    Args:
        updates: site → name → tensor; all sites have the same names and shapes (the gate checks it).
        weights: site → weight, summing to 1 over the sites of ``updates``.

    Returns:
        name → float64 tensor; empty if no site sent a tensor.
    """
    total: dict[str, NDArray[np.float64]] = {}
    for site in sorted(updates):
        for name, tensor in updates[site].items():
            term = np.multiply(tensor, weights[site], dtype=np.float64)
            total[name] = np.asarray(total[name] + term if name in total else term)
    return total


def apply(base: Tensors, change: Mapping[str, NDArray[np.float64]], *, scale: float = 1.0) -> Tensors:
    """``base`` + ``scale`` · ``change``, each tensor in the type of ``base``; integers are rounded to the nearest.

    Tensors without a change stay as they are, so a phase may move a part of the model.
    """

    def moved(tensor: NDArray[np.generic], step: NDArray[np.float64]) -> NDArray[np.generic]:
        """A tensor after its step, in its own type."""
        value = tensor.astype(np.float64) + scale * step
        return np.asarray(np.rint(value) if tensor.dtype.kind in "iu" else value, dtype=tensor.dtype)

    return {name: moved(tensor, change[name]) if name in change else tensor for name, tensor in base.items()}
