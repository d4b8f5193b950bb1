"""The sweeps: one dial after the other, on the sweeps' seeds only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from admin.study.compare.judge import hits_after
from admin.study.compare.trials import Result
from tests.benchmarks.quality.plan import LONG, ROUNDS, SWEEP_SEEDS, Size, Variation, task_of
from tests.benchmarks.quality.queue import Task

LAMBDAS = (0.0, 0.1, 0.3, 1.0, 3.0)
EQUAL = "fedaid_no_minmax"  # both phases and the binding, with equal weights: what the binding does by itself
CHOICE = "batch_accuracy"  # of the worse half of the sites, on the validation splits: what a setting is picked by
SIZE = replace(LONG, seeds=SWEEP_SEEDS)


@dataclass(frozen=True)
class Sweep:
    """A sweep.

    Attributes:
        of: the data set.
        dials: one text a cell, unique, → its variation; the order is that of running.
    """

    of: str
    dials: Mapping[str, Variation]


def binding() -> dict[str, Variation]:
    """λ × start × rounds; the regime in which the literature claims a gain comes first."""
    return {
        f"{'pretrained' if started else 'scratch'}, {rounds} rounds, λ = {weight:g}": Variation(
            EQUAL, {"binding_weight": weight}, rounds, started
        )
        for started in (True, False)
        for rounds in sorted(ROUNDS, key=lambda number: (4, 2, 12).index(number))
        for weight in LAMBDAS
    }


def methods_by(dial: str, values: Sequence[float], *methods: str) -> dict[str, Variation]:
    """Methods over the values of a dial of the data."""
    return {
        f"{dial} = {value:g}, {method}": replace(Variation(method, rounds=4), **{dial: value})
        for value in values
        for method in methods
    }


def settings_by(setting: str, values: Sequence[float], method: str) -> dict[str, Variation]:
    """A method over the values of one of its settings."""
    return {f"{method}, {setting} = {v:g}": Variation(method, {setting: v}, rounds=4) for v in values}


SWEEPS: Mapping[str, Sweep] = {
    "binding": Sweep("pretrained", binding()),
    "alpha": Sweep("pretrained", methods_by("alpha", (0.1, 0.3, 1.0), "fedavg", EQUAL, "fedaid", "fedaid_no_binding")),
    "rho": Sweep("pretrained", settings_by("rho", (0.0625, 0.25, 1.0), "fedaid")),
    "fedprox": Sweep("pretrained", settings_by("proximal_weight", (0.001, 0.01, 0.1, 1.0), "fedprox")),
    "moon": Sweep("pretrained", settings_by("moon_weight", (0.1, 1.0, 5.0), "moon")),
    "sites": Sweep("pretrained", methods_by("sites", (3, 5, 10, 20), "fedavg", "fedavg_uniform", "fedaid")),
}


def tasks_of_sweep(sweep: Sweep, *, folder: Path, size: Size = SIZE) -> dict[str, list[Task]]:
    """Cell → its trials, one a seed."""
    return {
        text: [task_of(sweep.of, size, variation, seed=seed, folder=folder) for seed in size.seeds]
        for text, variation in sweep.dials.items()
    }


def by_seed(cells: Mapping[str, Sequence[Task]]) -> list[Task]:
    """The tasks of a sweep in the order of running: all cells of a seed first."""
    return [task for seed in zip(*cells.values(), strict=True) for task in seed]


def described(cells: Mapping[str, Sequence[Task]], results: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    """Cell → what its seeds that have a result give, in points; two seeds are too few for an interval."""
    found = {}
    for text, tasks in cells.items():
        runs = [(task.trial.seed, results[task.trial.name]) for task in tasks if task.trial.name in results]
        if runs:
            found[text] = {"seeds": [seed for seed, _ in runs]} | of_runs([result for _, result in runs])
    return found


def of_runs(runs: Sequence[Result]) -> dict[str, Any]:
    """Mean, worst site and held-out population of each run, their means, and what a choice may look at."""
    rows = []
    for result in runs:
        points = {
            test: float(np.mean([hits.points() for hits in models])) for test, models in hits_after(result).items()
        }
        own = [points[site] for site in result["trial"]["sites"]]
        others = [points[name] for name in result["trial"]["held_out"]]
        valid = float(np.mean([chosen_accuracy(result, name) for name in result["curves"]]))
        rows.append((float(np.mean(own)), min(own), float(np.mean(others)), valid, processor_seconds(result)))
    names = ("mean", "worst", "held_out", "valid", "processor_seconds")
    by_name = {
        name: [round(value, 2) for value in values] for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    return by_name | {f"{name}_over_seeds": round(float(np.mean(by_name[name])), 2) for name in names[:4]}


def chosen_accuracy(result: Result, model: str) -> float:
    """The validation accuracy in points of the selected model, over the worse half of the sites."""
    valid = result["curves"][model][result["best_round"][model]]["valid"]
    found = sorted(metrics[CHOICE] for metrics in valid.values())
    return 100 * float(np.mean(found[: max(1, round(len(found) / 2))]))


def processor_seconds(result: Result) -> float:
    """User and system time of the trial's process."""
    return float(result["made"]["processor_seconds"])


def picked(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The cell with the best validation accuracy over its seeds; tests are not looked at."""
    return max(cells, key=lambda text: cells[text]["valid_over_seeds"])
