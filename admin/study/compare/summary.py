"""Summarise the trials of a data set: each method's recalls with intervals, and differences to base methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admin.study.compare.intervals import Interval, Resampled, interval, resampled
from admin.study.compare.judge import Scored, calibration_after, hits_after
from admin.study.compare.trials import Result

BASE = "fedavg"
EARLY = 3  # rounds in which the losses tell who learns fastest rather than who is served worst
TestHits = Mapping[str, Sequence[Scored]]  # test set → hits of one model, or of several models to average


def summarise(
    results: Mapping[str, Sequence[Result]],
    *,
    rounds: Mapping[str, int] | None = None,
    bases: Sequence[str] = (BASE,),
    draws: int = 2000,
) -> dict[str, dict[str, Any]]:
    """Return each method's summary as plain JSON, in points of recall at 5, or of AUROC for class scores.

    Args:
        results: method → its results in the order of seeds or folds; the order is the same for every method.
        rounds: method → number of its first rounds to use; None uses all rounds.
        bases: methods to compare the others with, on the same patients and seeds.
        draws: number of bootstrap draws.
    """
    rounds = rounds or {}
    hits = {m: [hits_after(result, rounds.get(m)) for result in runs] for m, runs in results.items()}
    found = {method: everything(runs, hits[method], draws=draws) for method, runs in results.items()}
    summary = {method: described(found[method], runs, hits[method]) for method, runs in results.items()}
    for method, runs in results.items():
        summary[method]["calibration_error"] = calibration_of(runs, rounds.get(method))
    for method, used in rounds.items():
        summary[method] |= cut(summary[method], results[method], used)
    for base in bases:
        for method in found if base in found else ():
            if method != base:
                summary[method]["difference_to_" + base] = differences(found[method], found[base])
    return summary


def everything(results: Sequence[Result], hits: Sequence[TestHits], *, draws: int) -> dict[str, Resampled]:
    """Return ``sites`` → resampled recalls over the sites, and each held-out population → its resampled recalls."""
    own = list(results[0]["trial"]["sites"])
    held_out = list(results[0]["trial"]["held_out"])

    def of(tests: Sequence[str]) -> Resampled:
        return resampled([{test: found[test] for test in tests} for found in hits], over_runs=True, draws=draws)

    return {"sites": of(own)} | {name: of([name]) for name in held_out}


def described(found: Mapping[str, Resampled], results: Sequence[Result], hits: Sequence[TestHits]) -> dict[str, Any]:
    """Return a method's summary without the differences to other methods."""
    sites = found["sites"]
    mean, worst = interval(sites.mean), interval(sites.worst)
    metric = next(iter(hits[0].values()))[0].metric
    return {
        f"mean_{metric}": round(mean.mid, 2),
        f"worst_{metric}": round(worst.mid, 2),
        "interval": {"mean": bounds(mean), "worst": bounds(worst)},
        "worst_above_chance": interval(sites.above_chance).as_json(),
        "sites": {name: interval(values).as_json() for name, values in sites.sites.items()},
        "held_out": {name: interval(one.mean).as_json() for name, one in found.items() if name != "sites"},
        "chance": {site: round(float(np.mean([run[site][0].chance for run in hits])), 2) for site in sites.sites},
        "site_weights": weights_of(results),
        "rounds": results[0]["rounds"],
        "seconds": round(float(np.median([result["seconds"] for result in results])), 1),
        "runs": len(results),
        "tested": sum(len(run[site][0].patients) for run in hits for site in sites.sites),
    }


def bounds(found: Interval) -> list[float]:
    """Return the interval's low and high bound."""
    return [round(found.low, 2), round(found.high, 2)]


def cut(summary: Mapping[str, Any], results: Sequence[Result], rounds: int) -> dict[str, Any]:
    """Return a method's other values after ``rounds`` rounds; every round counts the same time."""
    seconds = summary["seconds"] * rounds / summary["rounds"]
    return {"rounds": rounds, "seconds": round(seconds, 1), "site_weights": weights_of(results, rounds)}


def calibration_of(results: Sequence[Result], rounds: int | None) -> dict[str, float]:
    """Return test set → mean calibration error over models and runs, in points; without sets that have none."""
    errors: dict[str, list[float]] = {}
    for result in results:
        for test, found in calibration_after(result, rounds).items():
            errors.setdefault(test, []).extend(found)
    return {test: round(float(np.mean(found)), 2) for test, found in errors.items()}


def weights_of(results: Sequence[Result], until: int | None = None) -> dict[str, dict[str, float]]:
    """Return site → its mean and largest weight over rounds and runs; empty without a global model.

    ``most_after_third`` is the largest weight of the rounds after the third, absent without such a round. An entry of a
    run's history holds the weights of the round that follows it, so the last one belongs to no round and is skipped.
    """
    entries = [
        entry
        for result in results
        for entry in result["curves"].get("global", [])
        if entry["round"] < (result["rounds"] if until is None else until)
    ]
    found: dict[str, dict[str, float]] = {}
    for site in entries[0]["site_weights"] if entries else []:
        weights = [entry["site_weights"][site] for entry in entries]
        late = [entry["site_weights"][site] for entry in entries if entry["round"] >= EARLY]
        found[site] = {"mean": round(float(np.mean(weights)), 4), "most": round(max(weights), 4)}
        found[site] |= {"most_after_third": round(max(late), 4)} if late else {}
    return found


def differences(found: Mapping[str, Resampled], base: Mapping[str, Resampled]) -> dict[str, Any]:
    """Return paired differences: over the sites, for each site, and for each held-out population."""
    sites, others = found["sites"], base["sites"]
    return {
        "mean": interval(sites.mean - others.mean).as_json(),
        "worst": interval(sites.worst - others.worst).as_json(),
        "worst_above_chance": interval(sites.above_chance - others.above_chance).as_json(),
        "sites": {name: interval(sites.sites[name] - others.sites[name]).as_json() for name in sites.sites},
        "held_out": {
            name: interval(one.mean - base[name].mean).as_json() for name, one in found.items() if name != "sites"
        },
    }
