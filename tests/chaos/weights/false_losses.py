"""One false loss, or one false student loss, in a run: after how many honest rounds its effect is gone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from tests.chaos.outcome import Outcome

SITES, RHO, STEP_SIZES = (3, 5, 10), (0.05, 0.25, 1.0), (0.3, 0.5)
GOAL, AFTER = 3, 8  # honest rounds
TOLERANCE, LEAST = 0.1, 0.005  # share of a weight; of a tiny weight, which the ball moves most, this much
WANDER = 0.05  # nats by which a site's loss leaves the course that all sites share
Table = Mapping[str, float]


@dataclass(frozen=True)
class Lie:
    """One false report.

    Attributes:
        baseline: the rule of the site weights.
        student: whether the student's loss is false, and not the loss.
        value: in nats; 16.6 is the most that the server accepts from a small site.
        round_number: in which it is sent.
    """

    baseline: str
    student: bool
    value: float
    round_number: int


LIES = [
    Lie(baseline, student, value, number)
    for (baseline, student, value) in (
        ("none", False, 16.6), ("none", False, 8.0), ("none", False, 0.0),
        ("student", False, 16.6), ("student", False, 8.0), ("student", True, 0.0),
        ("alone", False, 16.6),
    )
    for number in (0, 1, 4)
]  # fmt: skip


def false_losses(folder: Path, *, repeats: int = 4) -> Outcome:
    """Every lie with every number of sites, size of the ball and step size; each with other losses several times."""
    worst, injected, failures = 0, 0, list[str]()
    for lie, sites, rho, size in itertools.product(LIES, SITES, RHO, STEP_SIZES):
        settings = MinMaxSettings(rho=rho, dual_step_size=size, loss_baseline=lie.baseline)
        for seed in range(repeats):
            needed = rounds_until_gone(lie, settings, sites, seed=seed)
            worst, injected = max(worst, needed), injected + 1
            if needed > GOAL:
                failures.append(f"{needed} rounds: {lie}, {sites} sites, rho {rho}, step size {size}, seed {seed}")
    return Outcome(
        place="in-process",
        injected=injected,
        survived=injected - len(failures),
        recovery_rounds=worst,
        failures=tuple(failures),
    )


def rounds_until_gone(lie: Lie, settings: MinMaxSettings, sites: int, *, seed: int) -> int:
    """Honest rounds until every weight is within a tenth of where it would be, and stays there."""
    rng = np.random.default_rng([seed, sites, lie.round_number])
    names = [f"site-{number:02d}" for number in range(sites)]
    liar, rounds = str(rng.choice(names)), lie.round_number + AFTER + 1
    honest, lied = SiteWeights(settings, names), SiteWeights(settings, names)
    far = []
    for number, (losses, students) in enumerate(course(rng, names, rounds)):
        honest.step(losses, {}, students)
        false = {liar: lie.value} if number == lie.round_number else {}
        lied.step(losses | ({} if lie.student else false), {}, students | (false if lie.student else {}))
        far.append(
            any(
                abs(lied.current[site] - weight) > max(TOLERANCE * weight, LEAST)
                for site, weight in honest.current.items()
            )
        )
    return max((number for number, is_far in enumerate(far[lie.round_number :], start=1) if is_far), default=0)


def course(
    rng: np.random.Generator, names: list[str], rounds: int
) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Losses and students' losses of each round: they fall together, and each site wanders a little around its own."""
    heights = {name: float(rng.uniform(0, 2)) for name in names}
    lost = {name: float(rng.uniform(0, 0.3)) for name in names}
    for number in range(rounds):
        common = 1 + 3 * float(np.exp(-number / 4))
        losses = {name: common + heights[name] + float(rng.uniform(-WANDER, WANDER)) for name in names}
        yield losses, {name: losses[name] - lost[name] for name in names}
