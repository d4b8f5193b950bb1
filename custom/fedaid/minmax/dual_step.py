"""One step of the inner maximisation: sites with a high loss gain weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from fedaid.minmax.projection import Weights, ball_radius, project_to_ball

SMALLEST = np.finfo(np.float64).tiny
LARGEST_STEP = 1e4  # nats; a larger gap of log weights has no effect beyond the ceiling of the ball
ROUNDING = 1e-9  # of a weight; a projection that moves a point by less counts as no move


class DualStep(NamedTuple):
    """The site weights after a step and its parts: site → weight, in the order of site names.

    Attributes:
        weights: α after the step.
        unprojected: after the multiplicative step only.
        cut_by_ball: whether the projection onto the ball changed them.
        raised_by_floor: whether a site was raised to the floor.
    """

    weights: dict[str, float]
    unprojected: dict[str, float]
    cut_by_ball: bool = False
    raised_by_floor: bool = False


def multiplicative_step(weights: Weights, losses: Weights, *, step_size: float) -> Weights:
    """softmax(log α + γ f), computed from log weights so that a loss of 1e308 gives no NaN; shapes (S,)."""
    with np.errstate(over="ignore"):
        gain = np.clip(step_size * (losses - losses.max()), -LARGEST_STEP, 0.0)
    stepped: Weights = np.exp(log_softmax(np.log(np.maximum(weights, SMALLEST)) + gain))
    return stepped


def raise_to_floor(weights: Weights, *, floor: float) -> Weights:
    """Weights of at least ``floor``; the added weight is taken from the others in proportion to their excess.

    Args:
        weights: on the simplex, shape (S,).
        floor: least weight, at most 1/S.

    Returns:
        On the simplex, each at least ``floor``; unchanged if all weights are above it.
    """
    excess = np.maximum(weights - floor, 0.0)
    room = 1 - floor * len(weights)
    share = excess / excess.sum() if excess.sum() > 0 else np.full(len(weights), 1 / len(weights))
    raised: Weights = floor + room * share
    return raised


def dual_step(
    weights: Mapping[str, float], losses: Mapping[str, float], *, step_size: float, rho: float, floor: float = 0.0
) -> DualStep:
    """New site weights: multiplicative step, projection onto Q_ρ, floor.

    A site without a loss, or with one that is not finite, keeps its weight: the step divides the total weight of the
    answering sites among them, inside the slice of Q_ρ that the absent sites leave. So one answering site, or equal
    losses, change nothing.

    Args:
        weights: site → α, on the simplex over all S sites and inside Q_ρ.
        losses: site → f in nats; any subset of the sites.
        step_size: γ, at least 0; 0 returns ``weights``.
        rho: size of the chi-square ball around uniform over all S sites.
        floor: least weight of a site, at most 1/S.

    Returns:
        The step; its ``weights`` are on the simplex and inside Q_ρ.

    Source: algorithm of arXiv:2404.03854; the exact projection and the floor are ours. With ρ so large that Q_ρ is the
    simplex it is agnostic federated learning (Mohri et al., arXiv:1902.00146), which moves α by a projected gradient
    step, α + γ f; this step is multiplicative.
    """
    before = {site: weights[site] for site in sorted(weights)}
    present = [site for site in before if math.isfinite(losses.get(site, math.nan))]
    held = sum(weights[site] for site in present)
    if step_size == 0 or held <= 0:
        return DualStep(before, before)
    share = np.array([weights[site] / held for site in present])
    stepped = multiplicative_step(share, np.array([losses[site] for site in present]), step_size=step_size)
    projected = project_to_ball(stepped, radius=slice_radius(weights, present, rho=rho))
    raised = raise_to_floor(projected, floor=min(floor / held, 1 / len(present)))

    def whole(shares: Weights) -> dict[str, float]:
        """The weights of all sites, from the shares of those that answered."""
        return before | dict(zip(present, (held * shares).tolist(), strict=True))

    return DualStep(whole(raised), whole(stepped), differ(stepped, projected), differ(projected, raised))


def differ(one: Weights, other: Weights) -> bool:
    """Whether two sets of weights differ by more than rounding."""
    return bool(np.abs(one - other).max() > ROUNDING)


def slice_radius(weights: Mapping[str, float], present: list[str], *, rho: float) -> float:
    """Radius of the slice of Q_ρ in which the absent sites keep their weights, in shares of the present weight.

    ‖α − u‖² is the sum of three parts: the absent sites, the distance of the slice's centre c = held/|present| from
    1/S, and the spread of the present weights around c. The last may be the squared radius minus the others.
    """
    uniform = 1 / len(weights)
    held = sum(weights[site] for site in present)
    absent = sum((weights[site] - uniform) ** 2 for site in weights if site not in present)
    centre = len(present) * (held / len(present) - uniform) ** 2
    left = ball_radius(len(weights), rho) ** 2 - absent - centre
    return math.sqrt(max(left, 0.0)) / held
