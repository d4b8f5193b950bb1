"""One false loss, or one false student loss, in a run: after how many honest rounds its effect is gone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from tests.chaos.outcome import Outcome

SITES, RHO, STEP_SIZES = (3, 5, 10), (0.05, 0.25, 1.0), (0.3, 0.5)
GOAL, AFTER = 3, 8  # honest rounds
TOLERANCE, LEAST = 0.1, 0.005  # share of a weight; of a tiny weight, which the ball moves most, this much
SLACK = 0.05  # of odds, which the ball changes a little
WANDER = 0.05  # nats by which a site's loss leaves the course that all sites share
Tables = tuple[dict[str, float], dict[str, float]]  # losses and students' losses


@dataclass(frozen=True)
class Lie:
    """One false report.

    Attributes:
        baseline: the rule of the site weights.
        student: whether the student's loss is false, and not the loss.
        value: in nats; 16.6 is the most that the server accepts from a small site.
        added: whether the value is added to the true one.
        round_number: in which it is sent.
        then: what the site does in the rounds after it: ``""`` for answering, ``silent``, or ``lost`` for answering
            without its student's loss.
        rounds: how many rounds it does so.
    """

    baseline: str
    student: bool
    value: float
    added: bool = False
    round_number: int = 0
    then: str = ""
    rounds: int = 0

    def told(self, true: float) -> float:
        """What the site says instead of the true value."""
        return max(true + self.value, 0.0) if self.added else self.value


class Round(NamedTuple):
    """The weights after a round without and with the lie."""

    liar: str
    honest: dict[str, float]
    lied: dict[str, float]

    @property
    def is_far(self) -> bool:
        """Whether the lie still shows in a weight."""
        weights = self.honest.items()
        return any(abs(self.lied[site] - weight) > max(TOLERANCE * weight, LEAST) for site, weight in weights)


KINDS = [
    *(Lie("none", False, value) for value in (16.6, 8.0, 0.0)),
    *(Lie("student", False, value) for value in (16.6, 8.0)),
    Lie("student", True, 0.0),
    Lie("alone", False, 16.6),
    Lie("none", False, 16.6, then="silent", rounds=1),
    Lie("none", False, 0.0, then="silent", rounds=3),
    Lie("student", False, 16.6, then="lost", rounds=1),
    Lie("student", True, 0.0, then="lost", rounds=3),
    Lie("student", True, 0.0, then="silent", rounds=1),
    Lie("student", True, -1.5, added=True),
]
LIES = [
    *(replace(kind, round_number=number) for kind in KINDS for number in (0, 1, 4)),
    *(Lie("none", False, 1.5, added=True, round_number=number) for number in (1, 4)),
]
UNSEEN = [
    *(Lie("none", False, value, added=True, round_number=number) for value, number in ((0.9, 0), (0.9, 4), (1.5, 0))),
    *(Lie("student", True, -0.95, added=True, round_number=number) for number in (0, 4)),
]  # too near to what honest sites report of small splits


def false_losses(folder: Path, *, repeats: int = 4) -> Outcome:
    """Every lie with every number of sites, size of the ball and step size; each with other losses several times.

    The weight that a large lie won must be gone in time; a small one must win about its own nats in one step.
    """
    worst, injected, failures = 0, 0, list[str]()
    for lie, sites, rho, size in itertools.product([*LIES, *UNSEEN], SITES, RHO, STEP_SIZES):
        settings = MinMaxSettings(rho=rho, dual_step_size=size, loss_baseline=lie.baseline)
        for seed in range(repeats):
            rounds = list(both_runs(lie, settings, sites, seed=seed))
            needed = 0 if lie in UNSEEN else rounds_until_gone(lie, rounds)
            won = odds_won(rounds) / math.exp(size * abs(lie.value)) if lie in UNSEEN else 0.0
            worst, injected = max(worst, needed), injected + 1
            if needed > GOAL or won > 1 + SLACK:
                case = f"{lie}, {sites} sites, rho {rho}, step size {size}, seed {seed}"
                failures.append(f"{needed} rounds, {won:g} of the odds that it may win: {case}")
    return Outcome(
        place="in-process",
        injected=injected,
        survived=injected - len(failures),
        recovery_rounds=worst,
        failures=tuple(failures),
    )


def both_runs(lie: Lie, settings: MinMaxSettings, sites: int, *, seed: int) -> Iterator[Round]:
    """The rounds from the lie on, without and with it."""
    rng = np.random.default_rng([seed, sites, lie.round_number])
    names = [f"site-{number:02d}" for number in range(sites)]
    liar, rounds = str(rng.choice(names)), lie.round_number + lie.rounds + AFTER + 1
    honest, lied = SiteWeights(settings, names), SiteWeights(settings, names)
    for number, tables in enumerate(course(rng, names, rounds)):
        losses, students = missing(lie, liar, tables) if 0 < number - lie.round_number <= lie.rounds else tables
        honest.step(losses, {}, students)
        if number == lie.round_number:
            false = students if lie.student else losses
            false[liar] = lie.told(false[liar])
        lied.step(losses, {}, students)
        if number >= lie.round_number:
            yield Round(liar, dict(honest.current), dict(lied.current))


def rounds_until_gone(lie: Lie, rounds: list[Round]) -> int:
    """Honest rounds of the site until every weight is within a tenth of where it would be, and stays there."""
    needed = max((number for number, one in enumerate(rounds, start=1) if one.is_far), default=0)
    return max(needed - lie.rounds, 0)


def odds_won(rounds: list[Round]) -> float:
    """The most by which the odds of the liar's weight were multiplied."""
    return max(odds(one.lied[one.liar]) / odds(one.honest[one.liar]) for one in rounds)


def odds(weight: float) -> float:
    """The weight of a site over that of all others."""
    return weight / (1 - weight)


def missing(lie: Lie, liar: str, tables: Tables) -> Tables:
    """The tables of a round after the lie, without the site's loss or its student's."""
    losses, students = ({site: value for site, value in table.items() if site != liar} for table in tables)
    return (losses if lie.then == "silent" else tables[0]), students


def course(rng: np.random.Generator, names: list[str], rounds: int) -> Iterator[Tables]:
    """Losses and students' losses of each round: they fall together, and each site wanders a little around its own."""
    heights = {name: float(rng.uniform(0, 2)) for name in names}
    lost = {name: float(rng.uniform(0, 0.3)) for name in names}
    for number in range(rounds):
        common = 1 + 3 * float(np.exp(-number / 4))
        losses = {name: common + heights[name] + float(rng.uniform(-WANDER, WANDER)) for name in names}
        yield losses, {name: losses[name] - lost[name] for name in names}
