"""The goals of the data room, and whether a result meets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A number beside its goal."""

    name: str
    value: object
    goal: str
    met: bool


GOALS: tuple[tuple[str, str, Callable[[Any, Mapping[str, Any]], bool]], ...] = (
    ("prepare_ratio", "at least 0.8", lambda value, _: value >= 0.8),
    ("second_epoch_speedup", "at least 10", lambda value, _: value >= 10),
    ("peak_memory_growth", "at most 0.1", lambda value, _: value <= 0.1),
    ("doctor_checks", "at least 25", lambda value, _: value >= 25),
    ("doctor_fired", "all checks", lambda value, found: value == found.get("doctor_checks")),
    ("catalogue_counted", "as injected, per code", lambda value, found: value == found.get("catalogue_injected")),
    ("wrong_pairs", "0", lambda value, _: value == 0),
    ("canary_hits", "0", lambda value, _: value == 0),
)


def verdicts(found: Mapping[str, Any]) -> list[Verdict]:
    """Return a verdict a goal; a number that is not there has not met it."""
    return [
        Verdict(name, value, goal, value is not None and met(value, found))
        for name, goal, met in GOALS
        for value in [found.get(name)]
    ]
