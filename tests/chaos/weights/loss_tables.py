"""Random tables of losses, with every kind of false one: no site weight leaves its bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fedaid.minmax.projection import ball_radius, weight_ceiling
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from tests.chaos.outcome import Outcome

TABLES, ROUNDS = 10_000, 8
FALSE = (1e308, math.inf, -math.inf, math.nan, 0.0, -1.0, 1e6, 5e-324, 16.6)
ROUNDING = 1e-9  # of a weight, as the checker of the ledger has it


def random_losses(folder: Path, *, tables: int = TABLES) -> Outcome:
    """Runs of eight rounds with other settings and other numbers of sites each."""
    rng, done, excess, failures = np.random.default_rng(0), 0, 0.0, list[str]()
    while done < tables:
        sites = [f"site-{number:02d}" for number in range(int(rng.choice([1, 2, 3, 5, 10, 40])))]
        settings = drawn(rng, len(sites))
        weights = SiteWeights(settings, sites)
        for losses, baselines in drawn_tables(rng, sites):
            weights.step(losses, dict.fromkeys(losses, 10), baselines)
            above, faults = outside(weights.current, settings)
            done, excess = done + 1, max(excess, above)
            failures += [f"{fault}: {settings}, {losses}" for fault in faults]
    survived = done - len(failures)
    return Outcome(
        place="in-process", injected=done, survived=survived, ceiling_excess=excess, failures=tuple(failures)
    )


def drawn(rng: np.random.Generator, sites: int) -> MinMaxSettings:
    """Settings of the dual step that are possible with this many sites."""
    ceiling = float(rng.uniform(1 / sites + 1e-3, 1.0)) if sites > 1 and rng.random() < 0.5 else None
    return MinMaxSettings(
        dual_step_size=float(rng.choice([0.01, 0.5, 5.0, 1e6])),
        rho=float(rng.choice([1e-6, 0.05, 0.25, 1.0, 50.0])),
        max_site_weight=ceiling,
        min_site_weight=float(rng.choice([0.0, 0.5 / sites])),
        loss_baseline=str(rng.choice(["none", "student", "alone"])),
    )


def drawn_tables(rng: np.random.Generator, sites: list[str]) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """The losses and baselines of some rounds: honest, all equal, one liar, only liars; sites may be silent."""
    for _ in range(ROUNDS):
        kind = rng.choice(["honest", "equal", "one liar", "liars", "baselines"])
        base = float(rng.uniform(0, 5))
        losses = {site: base if kind == "equal" else float(rng.exponential(2.0)) for site in sites}
        baselines = {site: float(rng.exponential(1.0)) for site in sites}
        if kind == "one liar":
            losses[str(rng.choice(sites))] = float(rng.choice(FALSE))
        if kind in ("liars", "baselines"):
            told = {site: float(rng.choice(FALSE)) for site in sites}
            losses, baselines = (told, baselines) if kind == "liars" else (losses, told)
        silent = {site for site in sites if rng.random() < 0.1}
        yield {site: loss for site, loss in losses.items() if site not in silent}, baselines


def outside(weights: dict[str, float], settings: MinMaxSettings) -> tuple[float, list[str]]:
    """By how much the largest weight is above the ceiling, beyond rounding; and which bounds are broken."""
    sites, values = len(weights), list(weights.values())
    rho = settings.for_sites(sites)
    above = max(values) - weight_ceiling(sites, rho)
    checks = {
        "not finite": all(math.isfinite(value) for value in values),
        "not on the simplex": min(values) >= 0 and abs(math.fsum(values) - 1) <= ROUNDING,
        "outside the ball": math.dist(values, [1 / sites] * sites) <= ball_radius(sites, rho) + ROUNDING,
        "below the floor": min(values) >= settings.min_site_weight - ROUNDING,
        "above the ceiling": above <= ROUNDING,
    }
    return above if above > ROUNDING else 0.0, [fault for fault, holds in checks.items() if not holds]
