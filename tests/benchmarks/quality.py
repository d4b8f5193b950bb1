"""``python -m tests.benchmarks.quality``: every method on three data sets at equal compute, build/bench/quality.json.

A trial that has a result is not run again, so an interrupted benchmark goes on where it was, and the file is written
again after each data set. ``--quick`` is a small form of it for CI, in a file of its own: it shows that all of it runs,
and nothing about the methods. The third set are real radiographs in ../shared/data (or $FEDAID_REAL_DATA); without them
it is left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from admin.compare.study import Result, run_trials
from admin.compare.summary import BASE, summarise
from admin.compare.trial import Trial
from admin.methods import METHODS
from fedaid.flare.run_store import replace_text
from tests.benchmarks.machine import surroundings
from tests.benchmarks.quality_trials import LONG, QUICK, trials_of, what_real_lacks

OUT, QUICK_OUT = Path("build/bench/quality.json"), Path("build/bench/quality-quick.json")
SETS = ("twin", "noisy", "real")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, write the file and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small form of all of it, a few minutes")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="these alone")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="these alone")
    parser.add_argument("--equal-time", action="store_true", help="again with as many rounds as fedavg's time allows")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    parser.add_argument("--out", type=Path, help=f"default: {OUT}, {QUICK_OUT} with --quick")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else LONG
    methods = options.methods or size.methods
    if options.equal_time and BASE not in methods:
        parser.error(f"--equal-time needs {BASE} among --methods")
    out = options.out or (QUICK_OUT if options.quick else OUT)
    out.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = surroundings() | {"quick": options.quick, "sets": {}, "equal_time": {}}
    for name in options.sets:
        if name == "real" and (missing := what_real_lacks()):
            found["sets"][name] = {"left_out": missing}
            write(out, found)
            print(f"set real left out: {missing}", file=sys.stderr)
            continue
        trials = trials_of(name, size, methods, folder=out.parent / "quality")
        done = Done(out.parent / "quality" / "trials", options.processes, title=name)
        results = done.of(trials)
        found["sets"][name] = summarise(by_method(trials, results), over_runs=name != "real")
        write(out, found)
        print(table(name, found["sets"][name]))
        if options.equal_time:
            again = at_equal_time(trials, results)
            results = done.of(again)
            found["equal_time"][name] = summarise(by_method(again, results), over_runs=name != "real")
            write(out, found)
            print(table(f"{name}, equal time", found["equal_time"][name]))


def write(out: Path, found: Mapping[str, Any]) -> None:
    """The file with what there is so far, whole or not at all."""
    replace_text(out, json.dumps(found, indent=1) + "\n")


def at_equal_time(trials: Sequence[Trial], results: Mapping[str, Result]) -> list[Trial]:
    """The trials with as many rounds as each method's own time a round allows in that of fedavg's rounds."""
    seconds = {
        method: median(float(result["seconds"]) for result in runs)
        for method, runs in by_method(trials, results).items()
    }

    def rounds(trial: Trial) -> int:
        return max(1, round(trial.settings["num_rounds"] * seconds[BASE] / seconds[trial.method]))

    return [replace(trial, settings={**trial.settings, "num_rounds": rounds(trial)}) for trial in trials]


@dataclass(frozen=True)
class Done:
    """Runs what is missing, with a bar.

    Attributes:
        folder: of the results.
        processes: trials at a time.
        title: before the bar.
    """

    folder: Path
    processes: int
    title: str

    def of(self, trials: Sequence[Trial]) -> dict[str, Result]:
        """The results of the trials."""
        columns = (
            TextColumn(self.title),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns) as bar:
            task = bar.add_task("", total=len(trials))

            def ended(trial: Trial, seconds: float) -> None:
                bar.update(task, advance=1, description=f"{trial.method} {trial.seed}: {seconds:.0f} s")

            return run_trials(trials, self.folder, processes=self.processes, watch=ended)


def by_method(trials: Sequence[Trial], results: Mapping[str, Result]) -> dict[str, list[Result]]:
    """Method → its results in the order of seeds."""
    methods = dict.fromkeys(trial.method for trial in trials)
    return {method: [results[t.name] for t in trials if t.method == method] for method in methods}


def table(name: str, methods: Mapping[str, Any]) -> str:
    """The data set's results as Markdown, best worst site first."""
    rows = sorted(methods.items(), key=lambda item: -item[1]["worst_recall_at_5"])
    lines = [f"| {name} | worst site | mean | held out | worst − fedavg | mean − fedavg |", "|---|---|---|---|---|---|"]
    for method, found in rows:
        held_out = [one["mid"] for one in found["held_out"].values()]
        apart = found.get("difference_to_fedavg", {})
        cells = [
            f"{found['worst_recall_at_5']:.1f} ({span(found['interval']['worst'])})",
            f"{found['mean_recall_at_5']:.1f} ({span(found['interval']['mean'])})",
            ", ".join(f"{value:.1f}" for value in held_out) or "–",
            *(signed(apart.get(over)) for over in ("worst", "mean")),
        ]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    chance = list(rows[0][1]["chance"].values())
    lines.append(f"| a blind guess | {min(chance):.1f} | {mean(chance):.1f} | – | – | – |")
    return "\n".join(lines)


def span(bounds: Sequence[float]) -> str:
    """Bounds of an interval."""
    return f"{bounds[0]:.1f} to {bounds[1]:.1f}"


def signed(found: Mapping[str, float] | None) -> str:
    """A difference with its bounds."""
    return f"{found['mid']:+.1f} ({found['low']:+.1f} to {found['high']:+.1f})" if found else "–"


if __name__ == "__main__":
    main()
