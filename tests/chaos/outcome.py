"""What one series of injected faults gave, and the sum over series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

KEYS = (
    "injected",
    "survived",
    "rounds_lost",
    "silent_loads",
    "mutations",
    "right_culprit",
    "false_refusals",
    "ceiling_excess",
    "recovery_rounds",
    "distinct_hashes",
    "guards",
    "guards_killed",
    "recovery_seconds",
    "extra_wait_seconds",
)
"""The keys of build/bench/chaos.json."""
LARGEST = ("ceiling_excess", "recovery_rounds", "distinct_hashes", "recovery_seconds", "extra_wait_seconds")
"""The keys whose value over all series is the largest one; the others are added up."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one series of faults gave. A number that a series does not measure is None.

    Attributes:
        place: where the faults were injected: "in-process", "simulator", "POC", "provisioned, TLS".
        injected: number of faults.
        survived: faults after which the run ended as a run without a fault: same model, site weights, best model.
        rounds_lost: committed rounds that were gone afterwards.
        silent_loads: damaged files that were read without a word.
        mutations: false messages sent, each in one order of arrival and one phase.
        right_culprit: of these, refused with the name of the site that sent it.
        false_refusals: good messages that were refused.
        ceiling_excess: the most by which a site weight lay above its ceiling.
        recovery_rounds: the most honest rounds until a weight won by a false loss was within 10 % again.
        distinct_hashes: number of different final models where one was expected.
        guards: checks that were taken out, one at a time.
        guards_killed: of these, those whose absence made a test red.
        recovery_seconds: the longest time from a kill to the next committed round.
        extra_wait_seconds: the most that a silent site held the rounds beyond its one wait.
        failures: what did not end as expected, in words.
    """

    place: str
    injected: int | None = None
    survived: int | None = None
    rounds_lost: int | None = None
    silent_loads: int | None = None
    mutations: int | None = None
    right_culprit: int | None = None
    false_refusals: int | None = None
    ceiling_excess: float | None = None
    recovery_rounds: int | None = None
    distinct_hashes: int | None = None
    guards: int | None = None
    guards_killed: int | None = None
    recovery_seconds: float | None = None
    extra_wait_seconds: float | None = None
    failures: tuple[str, ...] = field(default=())

    def numbers(self) -> dict[str, Any]:
        """What the series measured."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) not in (None, ())}


def total(outcomes: Iterable[Outcome]) -> dict[str, float | int | None]:
    """Each key over all series; None where no series measured it."""
    measured = list(outcomes)
    summed: dict[str, float | int | None] = {}
    for key in KEYS:
        values = [value for one in measured if (value := getattr(one, key)) is not None]
        summed[key] = (max(values) if key in LARGEST else sum(values)) if values else None
    return summed
