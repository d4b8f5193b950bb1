"""The settings of the site weights, checked before a job starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fedaid.errors import require
from fedaid.minmax.projection import rho_of_ceiling

WHERE = "controller args of config_fed_server.json"
STARTS = ("uniform", "pairs")
BASELINES = ("none", "student", "alone")
CORRECT = "Correct the job's setting."


@dataclass(frozen=True)
class MinMaxSettings:
    """Settings of the inner maximisation and of its alternatives.

    Attributes:
        dual_step_size: γ of a round; 0 disables the min-max, and the site weights keep their initial values.
        rho: size of the chi-square ball; above 0.
        max_site_weight: the largest weight of a site, instead of ρ. None uses ``rho``; 1 allows the whole simplex.
        min_site_weight: the smallest weight of a site; only with the min-max.
        initial_site_weights: ``uniform``, or ``pairs`` for weights in proportion to training pairs as in FedAvg; the
            latter only without the min-max, because its ball is around uniform weights.
        fairness_power: q of q-FedAvg, see :func:`fair_weights`; only without the min-max. 0 disables it.
        loss_baseline: what is subtracted from a site's loss before the dual step, see :class:`LossBaseline`.

    Raises:
        InputError: naming the setting.
    """

    dual_step_size: float = 0.5
    rho: float = 0.25
    max_site_weight: float | None = None
    min_site_weight: float = 0.0
    initial_site_weights: str = "uniform"
    fairness_power: float = 0.0
    loss_baseline: str = "none"

    def __post_init__(self) -> None:
        for name in ("dual_step_size", "fairness_power"):
            self._check_number(name, "be a finite number of at least 0", lambda x: x >= 0)
        self._check_number("rho", "be a finite number above 0", lambda x: x > 0)
        self._check_number("min_site_weight", "be in [0, 1)", lambda x: 0 <= x < 1)
        if self.max_site_weight is not None:
            self._check_number("max_site_weight", "be in (0, 1]", lambda x: 0 < x <= 1)
        minmax = self.dual_step_size > 0
        ok, remedy = not minmax or self.fairness_power == 0, "Use one of the two: set dual_step_size or this to 0."
        self._check("fairness_power", ok, "be 0 with the min-max", remedy)
        by_pairs = self.initial_site_weights == "pairs" or self.fairness_power > 0
        ok, remedy = self.min_site_weight == 0 or not by_pairs, "Leave it out: only the min-max keeps a floor."
        self._check("min_site_weight", ok, "be 0 for weights by pairs", remedy)
        remedy = "Weights by pairs need dual_step_size 0: the min-max keeps its weights near uniform."
        self._check_choice("initial_site_weights", STARTS[:1] if minmax else STARTS, remedy)
        remedy = "Without the min-max (dual_step_size 0) no loss has an effect: leave it out."
        self._check_choice("loss_baseline", BASELINES if minmax else BASELINES[:1], remedy if not minmax else CORRECT)

    def _check_number(self, name: str, rule: str, holds: Callable[[float], bool]) -> None:
        require_number(name, getattr(self, name), rule, holds=holds)

    def _check_choice(self, name: str, choices: tuple[str, ...], remedy: str) -> None:
        self._check(name, getattr(self, name) in choices, f"be one of {', '.join(choices)}", remedy)

    def _check(self, name: str, ok: bool, rule: str, remedy: str) -> None:
        require(ok, name, rule, got=repr(getattr(self, name)), where=WHERE, remedy=remedy)

    def for_sites(self, sites: int) -> float:
        """ρ for a federation of this many sites.

        Raises:
            InputError: if ceiling or floor is impossible with this many sites.
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


def require_number(
    name: str, value: object, rule: str, *, holds: Callable[[float], bool], remedy: str = CORRECT
) -> None:
    """An error for a setting unless it is a finite number for which ``holds`` is true; a bool is not a number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    ok = number and math.isfinite(value) and holds(value)  # type: ignore[arg-type]
    require(ok, name, rule, got=repr(value), where=WHERE, remedy=remedy)
