"""What a job may set about the site weights, checked before anything starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fedaid.errors import require
from fedaid.minmax.projection import rho_of_ceiling

WHERE = "controller args of config_fed_server.json"
STARTS = ("uniform", "pairs")


@dataclass(frozen=True)
class MinMaxSettings:
    """Settings of the inner maximisation.

    Attributes:
        dual_step_size: γ of a round; 0 turns the min-max off, the site weights then stay where they start.
        rho: size of the chi-square ball; above 0.
        max_site_weight: the ceiling for one site, as another way to give ρ; None leaves ``rho`` in force.
        min_site_weight: floor of every site's weight; the min-max keeps it, so weights by pairs have none.
        initial_site_weights: ``uniform``, or ``pairs`` for weights in proportion to training pairs, as FedAvg takes
            them; only without the min-max, whose ball is around uniform.

    Raises:
        InputError: naming the setting.
    """

    dual_step_size: float = 0.5
    rho: float = 0.25
    max_site_weight: float | None = None
    min_site_weight: float = 0.0
    initial_site_weights: str = "uniform"

    def __post_init__(self) -> None:
        self._check("dual_step_size", "be a finite number of at least 0", lambda x: x >= 0)
        self._check("rho", "be a finite number above 0", lambda x: x > 0)
        self._check("min_site_weight", "be in [0, 1)", lambda x: 0 <= x < 1)
        if self.max_site_weight is not None:
            self._check("max_site_weight", "be in (0, 1]", lambda x: 0 < x <= 1)
        by_pairs = self.initial_site_weights == "pairs"
        rule, remedy = "be 0 for weights by pairs", "Leave it out: only the min-max keeps a floor."
        ok = self.min_site_weight == 0 or not by_pairs
        require(ok, "min_site_weight", rule, got=self.min_site_weight, where=WHERE, remedy=remedy)
        start, minmax = self.initial_site_weights, self.dual_step_size > 0
        possible = STARTS[:1] if minmax else STARTS
        remedy = "Weights by pairs need dual_step_size 0: the min-max keeps its weights near uniform."
        rule = f"be one of {', '.join(possible)}"
        require(start in possible, "initial_site_weights", rule, got=repr(start), where=WHERE, remedy=remedy)

    def _check(self, name: str, rule: str, holds: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        ok = number and math.isfinite(value) and holds(value)
        require(ok, name, rule, got=repr(value), where=WHERE, remedy="Correct the job's setting.")

    def for_sites(self, sites: int) -> float:
        """ρ for a federation of this many sites.

        Raises:
            InputError: if ceiling or floor cannot hold with this many sites.
        """
        floor, ceiling = self.min_site_weight, self.max_site_weight
        remedy = f"With {sites} sites the uniform weight is {1 / sites:.4f}."
        ok = floor <= 1 / sites
        require(ok, "min_site_weight", "be at most 1/S", got=floor, where=WHERE, remedy=remedy)
        if ceiling is None or sites == 1:
            return self.rho
        ok = ceiling > 1 / sites
        require(ok, "max_site_weight", "be above 1/S", got=ceiling, where=WHERE, remedy=remedy)
        return rho_of_ceiling(sites, ceiling)
