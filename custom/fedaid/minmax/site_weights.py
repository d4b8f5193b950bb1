"""The site weights of a run, from round to round."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import softmax

from fedaid.minmax.dual_step import LARGEST_STEP, SMALLEST, DualStep, dual_step
from fedaid.minmax.kept_steps import KeptSteps
from fedaid.minmax.loss_baseline import excess
from fedaid.minmax.settings import MinMaxSettings

NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Move:
    """The reason for the site weights of a round.

    Attributes:
        rule: ``dual_step``, ``fairness``, ``pairs``, or ``none`` if nothing changes them.
        losses: site → f in nats, as reported.
        baselines: site → b in nats, of the sites with a baseline; empty if the rule uses none.
        unprojected: site → weight after the multiplicative step, before ball and floor.
        cut_by_ball: whether the projection onto the ball changed them.
        raised_by_floor: whether a site was raised to the floor.
        taken_back: site → the value in nats that replaced its last value before this round, which was an outlier.
    """

    rule: str
    losses: dict[str, float]
    baselines: dict[str, float]
    unprojected: dict[str, float]
    cut_by_ball: bool = False
    raised_by_floor: bool = False
    taken_back: dict[str, float] = field(default_factory=dict)


class SiteWeights:
    """α of a run. It is part of the committed state, so a resumed run continues with its weights.

    A weight that one false loss has won is taken back when the site reports its next one, see :class:`KeptSteps` and
    :func:`outliers`: the steps since then are repeated with the value that the site's other rounds suggest.

    Args:
        settings: of the min-max.
        sites: names of all S sites of the run.

    Attributes:
        current: site → α, on the simplex, in the order of site names.

    Raises:
        InputError: if ceiling or floor is impossible with this many sites.
    """

    def __init__(self, settings: MinMaxSettings, sites: list[str]) -> None:
        self._settings = settings
        self._rho = settings.for_sites(len(sites))
        self._pairs: dict[str, int] = {}
        self._steps = KeptSteps()
        self.current: dict[str, float] = {site: 1 / len(sites) for site in sorted(sites)}

    @property
    def state(self) -> dict[str, Any]:
        """What the next step depends on, plain JSON."""
        return {"weights": dict(self.current), "pairs": dict(self._pairs), "steps": self._steps.state}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from the :attr:`state` of an earlier job; the sites of the run are those that it names."""
        self.current = {site: state["weights"][site] for site in sorted(state["weights"])}
        self._pairs = {site: int(pairs) for site, pairs in state["pairs"].items()}
        self._steps.restore(state)

    def step(
        self, losses: Mapping[str, float], pairs: Mapping[str, int], baselines: Mapping[str, float] = NONE
    ) -> Move:
        """Updates the weights from the reports of the sites that answered, and returns the reason.

        Args:
            losses: site → f in nats; the dual step ignores one that is not finite.
            pairs: site → training pairs, above 0; used only for weights in proportion to them. A site has weight 0
                until the first round in which it answers.
            baselines: site → b in nats; used only with a ``loss_baseline``. Then the dual step uses max(f − b, 0), and
                a site without a baseline keeps its weight.
        """
        if self._settings.dual_step_size > 0:
            return self._dual_step(losses, baselines)
        rule = "none"
        if self._settings.fairness_power > 0 and losses:
            rule, found = "fairness", fair_weights(losses, pairs, power=self._settings.fairness_power)
            self.current = {site: found.get(site, 0.0) for site in self.current}
        elif self._settings.initial_site_weights == "pairs":
            rule = "pairs"
            self._pairs |= pairs
            total = sum(self._pairs.values())
            self.current = {site: self._pairs.get(site, 0) / total for site in self.current}
        return Move(rule, dict(losses), {}, dict(self.current))

    def _dual_step(self, losses: Mapping[str, float], baselines: Mapping[str, float]) -> Move:
        relative = self._settings.loss_baseline != "none"
        heard = {site: baselines[site] for site in sorted(losses) if site in baselines} if relative else {}
        reported = excess(losses, heard) if relative else losses
        driving = {site: value for site, value in reported.items() if math.isfinite(value)}
        taken_back, mended = self._steps.take_back(driving, lambda *step: self._stepped(*step).weights)
        before = mended or self.current
        step = self._stepped(before, driving)
        if len(driving) > 1:  # of one value nothing can be said, and it moves nothing
            self._steps.add(before, driving)
        self.current = step.weights
        parts = (step.unprojected, step.cut_by_ball, step.raised_by_floor, taken_back)
        return Move("dual_step", dict(losses), heard, *parts)

    def _stepped(self, weights: Mapping[str, float], driving: Mapping[str, float]) -> DualStep:
        size, floor = self._settings.dual_step_size, self._settings.min_site_weight
        return dual_step(weights, driving, step_size=size, rho=self._rho, floor=floor)


def fair_weights(losses: Mapping[str, float], pairs: Mapping[str, int], *, power: float) -> dict[str, float]:
    """Weights in proportion to n_i · f_i^q, computed from logarithms.

    Args:
        losses: site → f in nats, finite and at least 0; at least one site.
        pairs: site → training pairs n, above 0, for each of these sites.
        power: q, at least 0; 0 gives FedAvg's weights by pairs.

    Returns:
        site → weight in the order of site names, on the simplex.

    Source: Li et al., arXiv:1905.10497: the gradient of its objective Σ p_i f_i^(q+1) / (q+1), p_i = n_i / Σ n, has
    these weights. Its algorithm 2 moves by Σ f_i^q Δ_i / Σ (f_i^q + q f_i^(q−1) ‖Δ_i‖² / η) over sites drawn by p_i,
    with η the rate of their gradient descent. The second part of the divisor is left out: it is a bound on the
    curvature for gradient descent, and the sites train with AdamW. The result is weights on the simplex. In the paper
    f is measured on the training data, here on the validation split.
    """
    sites = sorted(losses)
    counts = np.array([pairs[site] for site in sites], np.float64)
    heights = np.log(np.maximum([losses[site] for site in sites], SMALLEST))
    with np.errstate(over="ignore"):
        gain = np.clip(power * (heights - heights.max()), -LARGEST_STEP, 0.0)
    return dict(zip(sites, softmax(np.log(counts) + gain).tolist(), strict=True))
