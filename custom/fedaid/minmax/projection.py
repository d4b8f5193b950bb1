"""Euclidean projection onto the chi-square ball of site weights.

The ball Q_ρ = { α in simplex : (1/2S) Σ (S α_i − 1)² ≤ ρ } is the simplex cut by a Euclidean ball around the uniform
weights u = 1/S: Σ (S α_i − 1)² = S² ‖α − u‖², so the radius is √(2ρ/S).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Weights = NDArray[np.float64]
SMALLEST_SHARE = 1e-300  # of the segment to the point, so that the share is exact for any distance of the point


def ball_radius(sites: int, rho: float) -> float:
    """Euclidean radius √(2ρ/S) of the chi-square ball around the uniform weights."""
    return math.sqrt(2 * rho / sites)


def weight_ceiling(sites: int, rho: float) -> float:
    """Largest weight that one site can have inside Q_ρ: min(1, (1 + √(2ρ(S−1)))/S)."""
    return min(1.0, (1 + math.sqrt(2 * rho * (sites - 1))) / sites)


def rho_of_ceiling(sites: int, ceiling: float) -> float:
    """The ρ at which :func:`weight_ceiling` is ``ceiling``, for a ceiling in (1/S, 1] and at least two sites."""
    return (sites * ceiling - 1) ** 2 / (2 * (sites - 1))


def project_to_simplex(point: Weights) -> Weights:
    """The nearest point of the probability simplex, shape (S,), by the sort-and-threshold rule.

    Source: Held, Wolfe and Crowder 1974; Duchi et al. 2008, figure 1.
    """
    with np.errstate(over="ignore"):
        point = np.maximum(
            point - point.max(), -1.0
        )  # a shift has no effect, and the result is 0 from 1 below the maximum
    descending = np.sort(point)[::-1]
    excess = (np.cumsum(descending) - 1) / np.arange(1, len(point) + 1)
    support = np.flatnonzero(descending > excess)[-1]
    projected: Weights = np.maximum(point - excess[support], 0.0)
    return projected


def project_to_ball(point: Weights, *, radius: float) -> Weights:
    """The nearest point of the simplex within ``radius`` of the uniform weights, exactly.

    By the optimality conditions the result is the simplex projection of a point on the segment from the uniform weights
    u to ``point``. The distance of the projection to u grows along the segment, so it crosses the radius once, and
    bracketing finds the crossing.

    Args:
        point: any finite vector, shape (S,).
        radius: Euclidean, at least 0; for 0 the result is uniform.

    Returns:
        Shape (S,), at least 0, sums to 1, inside the ball to 1e-12.
    """
    uniform = np.full(len(point), 1 / len(point))

    def at(share: float) -> Weights:
        """The simplex projection of the point this far along the segment, 0 at the uniform weights."""
        return project_to_simplex(uniform + share * (point - uniform))

    def excess(share: float) -> float:
        """By how much the projection lies outside the ball."""
        return float(np.linalg.norm(at(share) - uniform)) - radius

    if excess(1.0) <= 0:
        return at(1.0)
    if radius == 0:
        return uniform
    return at(brentq(excess, 0.0, 1.0, xtol=SMALLEST_SHARE, rtol=8.9e-16, maxiter=2000))


def project(point: Weights, *, rho: float) -> Weights:
    """The nearest point of Q_ρ to ``point``, shape (S,); ρ at least 0.

    Source: arXiv:2404.03854 for the ball. The released projection leaves the ball for small ρ; this one does not.
    """
    return project_to_ball(point, radius=ball_radius(len(point), rho))
