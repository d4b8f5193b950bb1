"""Whether FedAID reaches what was asked of it on the three data sets, by the summaries of ``bench-quality``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from admin.study.compare.comparison import METHOD
from admin.study.compare.summary import BASE
from tests.benchmarks.quality_sets import NOISY

APART = "difference_to_" + BASE
LIFT, LOSS, CAPTURE = 8.0, -1.0, 1.5  # points of the worst site; points of an honest site; times a uniform weight
Summary = Mapping[str, Any]  # of one method


@dataclass(frozen=True)
class Verdict:
    """A number beside its goal.

    Attributes:
        of: the data set.
        name: of the number.
        value: it.
        goal: in words.
        met: whether it is.
        note: what else there is to say; often empty.
    """

    of: str
    name: str
    value: float
    goal: str
    met: bool
    note: str = ""

    @property
    def line(self) -> str:
        """For a terminal."""
        judged = "met" if self.met else "MISSED"
        return f"{self.of:6} {self.name:46} {self.value:8.2f}  {self.goal:12} {judged:6} {self.note}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def verdicts(sets: Mapping[str, Mapping[str, Summary]]) -> list[Verdict]:
    """A verdict a goal, of the data sets on which both methods were run; data set → method → summary."""
    judges = {"twin": on_twin, "noisy": on_noisy, "real": on_real}
    return [
        verdict
        for name, judge in judges.items()
        if APART in sets.get(name, {}).get(METHOD, {})
        for verdict in judge(sets[name][METHOD])
    ]


def on_twin(found: Summary) -> list[Verdict]:
    """The worst site is lifted, at no cost to the mean and to patients of nobody's hospital."""
    apart = found[APART]
    uniform = min(one["mid"] for one in apart["held_out"].values())
    return [
        Verdict(
            "twin",
            "worst site, points above fedavg",
            apart["worst"]["mid"],
            "at least 8",
            apart["worst"]["mid"] >= LIFT,
        ),
        Verdict("twin", "mean, points above fedavg", apart["mean"]["mid"], "at least 0", apart["mean"]["mid"] >= 0),
        Verdict("twin", "uniform population, points above fedavg", uniform, "at least 0", uniform >= 0),
    ]


def on_noisy(found: Summary) -> list[Verdict]:
    """The noisy site does not capture the weights, and nobody else pays for it."""
    weights = found["site_weights"]
    taken, usual = (weights[NOISY][of] * len(weights) for of in ("most", "mean"))
    least = min(one["mid"] for site, one in found[APART]["sites"].items() if site != NOISY)
    return [
        Verdict(
            "noisy",
            "noisy site's largest weight, of a uniform one",
            taken,
            "below 1.5",
            taken < CAPTURE,
            f"mean over rounds and seeds {usual:.2f}",
        ),
        Verdict("noisy", "honest site that loses most, points", least, "at least -1", least >= LOSS),
    ]


def on_real(found: Summary) -> list[Verdict]:
    """Better on real radiographs beyond doubt, or how many it would take to know."""
    return [
        Verdict(
            "real",
            f"{over}, points above fedavg, lower limit",
            found[APART][over]["low"],
            "above 0",
            found[APART][over]["low"] > 0,
            note="" if found[APART][over]["low"] > 0 else needed(found[APART][over], pairs=found["tested"]),
        )
        for over in ("worst", "mean")
    ]


def needed(apart: Mapping[str, float], *, pairs: int) -> str:
    """How many pairs it would take for the interval of this difference, were it the true one, to just leave zero out.

    With so many it does in half of all studies. Intervals shrink with the square root of the number of pairs. It counts
    the pairs alone: what another seed of training does to the difference does not get less with more patients.
    """
    half = (apart["high"] - apart["low"]) / 2
    if apart["mid"] == 0:
        return "no number of pairs"
    count = math.ceil(pairs * (half / apart["mid"]) ** 2)
    return f"about {count} pairs to tell a difference of {apart['mid']:+.1f}, in place of {pairs}"
