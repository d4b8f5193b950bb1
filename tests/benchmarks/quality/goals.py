"""Whether FedAID reaches what was asked of it on its data sets, by the summaries of ``bench-quality``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from admin.jobs.methods import POOLED
from admin.study.compare.comparison import METHOD
from admin.study.compare.summary import BASE
from tests.benchmarks.quality.data.twin import NOISY

APART = "difference_to_" + BASE
LIFT, LOSS, CAPTURE = 8.0, -2.0, 1.5  # points of the worst site; points of an honest site; times a uniform weight
GREAT_LIFT, BINDING = 20.0, 2.0  # points of the worst site, and of what the binding adds, in pretrained
NO_BINDING, EQUAL, RIVAL = "fedaid_no_binding", "fedavg_uniform", "qfedavg"
OF_METHOD, ALONE, HALF = "difference_to_" + METHOD, "difference_to_alone", 0.5
Summary = Mapping[str, Any]  # of one method
Methods = Mapping[str, Summary]


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
        return f"{self.of:6} {self.name:58} {self.value:8.2f}  {self.goal:12} {judged:6} {self.note}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def verdicts(sets: Mapping[str, Methods], equal_time: Mapping[str, Methods] | None = None) -> list[Verdict]:
    """A verdict a goal, of the data sets on which both methods were run.

    Args:
        sets: data set → method → summary at equal compute.
        equal_time: the same at equal time.
    """
    judges = {"twin": on_twin, "noisy": on_bad_site, "liar": on_bad_site, "pretrained": on_pretrained}
    judges |= {"films": on_patients, "real": on_patients}
    found = [
        verdict
        for name, judge in judges.items()
        if APART in sets.get(name, {}).get(METHOD, {})
        for verdict in judge(name, sets[name])
    ]
    return found + [
        at_equal_time(name, methods) for name, methods in (equal_time or {}).items() if APART in methods.get(METHOD, {})
    ]


def at_equal_time(name: str, methods: Methods) -> Verdict:
    """The mean is not below that of the base when both had the same time."""
    mean = methods[METHOD][APART]["mean"]["mid"]
    return Verdict(name, "mean at equal time, points above fedavg", mean, "at least 0", mean >= 0)


def on_twin(name: str, methods: Methods) -> list[Verdict]:
    """The worst site is lifted, at no cost to the mean and to patients of nobody's hospital."""
    apart = methods[METHOD][APART]
    uniform = min(one["mid"] for one in apart["held_out"].values())
    return [
        Verdict(
            name,
            "worst site, points above fedavg",
            apart["worst"]["mid"],
            "at least 8",
            apart["worst"]["mid"] >= LIFT,
        ),
        Verdict(name, "mean, points above fedavg", apart["mean"]["mid"], "at least 0", apart["mean"]["mid"] >= 0),
        Verdict(name, "uniform population, points above fedavg", uniform, "at least 0", uniform >= 0),
    ]


def on_pretrained(name: str, methods: Methods) -> list[Verdict]:
    """The binding earns its place, nobody loses, and the mean is at least that of the simpler rules."""
    found = methods[METHOD]
    apart = found[APART]
    worst, sites = apart["worst"]["mid"], apart["sites"]
    costs = {"FedAvg": sites} | ({"training alone": found[ALONE]["sites"]} if ALONE in found else {})
    least = min(one["mid"] for of in costs.values() for one in of.values())
    goals = [
        Verdict(name, "worst site, points above fedavg", worst, "at least 20", worst >= GREAT_LIFT),
        Verdict(name, f"hospital that loses most on {' or '.join(costs)}", least, "at least -2", least >= LOSS),
    ]
    if NO_BINDING in methods:
        gains = {over: turned(methods[NO_BINDING][OF_METHOD][over]) for over in ("mean", "worst")}
        over = max(gains, key=lambda one: gains[one]["mid"])
        met = any(gain["mid"] >= BINDING and gain["low"] > 0 for gain in gains.values())
        low = f"lower limit {gains[over]['low']:+.1f}"
        goals.append(Verdict(name, f"what the binding adds, {over}", gains[over]["mid"], "at least 2", met, low))
    if POOLED in methods:
        closed = found["gap_closed"].get("mean", math.nan)
        goals.append(Verdict(name, "mean, share of the gap to pooled", closed, "at least 0.5", closed >= HALF))
    for other in (RIVAL, EQUAL):
        if other in methods:
            ahead = -methods[other][OF_METHOD]["mean"]["mid"]
            goals.append(Verdict(name, f"mean, points above {other}", ahead, "at least 0", ahead >= 0))
    return goals


def on_bad_site(name: str, methods: Methods) -> list[Verdict]:
    """The bad site does not capture the weights, and nobody else pays for it."""
    found = methods[METHOD]
    weights, over = found["site_weights"], "most_after_third"
    if over not in weights[NOISY]:  # a short run
        over = "most"
    taken, usual = (weights[NOISY][of] * len(weights) for of in (over, "mean"))
    when = "of all rounds" if over == "most" else "after round 3"
    least = min(one["mid"] for site, one in found[APART]["sites"].items() if site != NOISY)
    return [
        Verdict(
            name,
            f"bad site's largest weight {when}, of a uniform one",
            taken,
            "below 1.5",
            taken < CAPTURE,
            f"mean over rounds and seeds {usual:.2f}",
        ),
        Verdict(name, "honest site that loses most, points", least, "at least -2", least >= LOSS),
    ]


def on_patients(name: str, methods: Methods) -> list[Verdict]:
    """Better on real radiographs beyond doubt, or how many it would take to know."""
    found = methods[METHOD]
    return [
        Verdict(
            name,
            f"{over}, points above fedavg, lower limit",
            found[APART][over]["low"],
            "above 0",
            found[APART][over]["low"] > 0,
            note="" if found[APART][over]["low"] > 0 else needed(found[APART][over], pairs=found["tested"]),
        )
        for over in ("worst", "mean")
    ]


def turned(found: Mapping[str, float]) -> dict[str, float]:
    """The difference the other way round."""
    return {"low": -found["high"], "mid": -found["mid"], "high": -found["low"]}


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
