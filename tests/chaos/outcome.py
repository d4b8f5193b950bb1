"""What one series of injected faults gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.series.measured import Measured


@dataclass(frozen=True, kw_only=True)
class Outcome(Measured):
    """The keys of build/bench/chaos.json, of one series.

    Attributes:
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
    """

    LARGEST: ClassVar[tuple[str, ...]] = (
        "ceiling_excess",
        "recovery_rounds",
        "distinct_hashes",
        "recovery_seconds",
        "extra_wait_seconds",
    )

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

    def shortfalls(self) -> list[str]:
        """A fault that could not be injected was not survived, too."""
        lost = (self.injected or 0) - (self.survived or 0)
        return [f"{lost} faults were not survived"] if self.survived is not None and lost else []
