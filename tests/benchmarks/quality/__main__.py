"""``python -m tests.benchmarks.quality``: every method on six data sets, and the sweeps, in build/bench/quality.json.

At equal compute, and again at equal time: the model that a method had chosen when fedavg's time was over.

All trials go through one queue. A trial that has a line in the ledger (docs/quality/trials/SET.jsonl, committed) is
not run again, so an interrupted benchmark goes on where it was, on any machine; the file is written again after each
data set and each sweep. ``--quick`` is a small form of it for CI, with files of its own: it shows that all of it runs,
and nothing about the methods. Two sets are real radiographs in ../shared/data (or $FEDAID_REAL_DATA); without them they
are left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from admin.jobs.methods import LOCAL, METHODS, POOLED
from admin.study.compare.comparison import METHOD, by_method
from admin.study.compare.summary import BASE, summarise
from admin.study.compare.summary_table import table
from admin.study.compare.trial_bar import TrialBar
from admin.study.compare.trials import Result
from fedaid.atomic_file import replace_text
from tests.benchmarks.machine import surroundings
from tests.benchmarks.quality.goals import verdicts
from tests.benchmarks.quality.ledger import Ledger
from tests.benchmarks.quality.of_films import film_metrics
from tests.benchmarks.quality.plan import LONG, QUICK, SETS, tasks_of, what_lacks
from tests.benchmarks.quality.queue import Task, run_queue
from tests.benchmarks.quality.sweeps import SWEEPS, by_seed, described, picked, tasks_of_sweep
from tests.benchmarks.quality.tables import sweep_table

BENCH = Path("build/bench")
OUT, QUICK_OUT = BENCH / "quality.json", BENCH / "quality-quick.json"
LEDGERS = Path("docs/quality/trials")
COMPARED = (BASE, METHOD, LOCAL)
DRAWS, QUICK_DRAWS = 2000, 100  # of the bootstrap
OF_SET = ("measured", "sets", "equal_time", "left_out", "failed")  # of the file, by set


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, write the file and print the tables."""
    options = parsed(arguments)
    size = QUICK if options.quick else LONG
    out = options.out or (QUICK_OUT if options.quick else OUT)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = options.sets is not None or options.sweeps is not None
    found = kept(out, quick=options.quick) if part else empty(quick=options.quick)
    bench = Bench(out, options.ledger or (out.parent / "trials" if options.quick else LEDGERS), options.processes)
    for name in (options.sets or ()) if part else SETS:
        bench.run_set(found, name, methods=options.methods or size.methods[name], quick=options.quick)
        found["verdicts"] = [verdict.as_json() for verdict in verdicts(found["sets"], found["equal_time"])]
        write(out, found)
    for name in (options.sweeps or ()) if part else () if options.quick else SWEEPS:
        bench.run_sweep(found, name)
        write(out, found)
    print("\n".join(verdict.line for verdict in verdicts(found["sets"], found["equal_time"])))
    if bench.failures:
        sys.exit("\n".join(bench.failures))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small form of all sets, about a minute")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="these alone; the others stay as they are in the file")
    parser.add_argument("--sweeps", nargs="+", choices=list(SWEEPS), help="these alone, and no set without --sets")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="these alone, in the sets")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    parser.add_argument("--out", type=Path, help=f"default: {OUT}, {QUICK_OUT} with --quick")
    parser.add_argument("--ledger", type=Path, help=f"folder of the trials' results; default: {LEDGERS}")
    return parser.parse_args(arguments)


class Bench:
    """Runs sets and sweeps through the queue.

    Args:
        out: the benchmark's file.
        ledgers: folder with one ledger a set.
        processes: trials at once.

    Attributes:
        failures: one line a failed trial.
    """

    def __init__(self, out: Path, ledgers: Path, processes: int) -> None:
        self._folder, self._ledgers, self._processes = out.parent / "quality", ledgers, processes
        self.failures: list[str] = []

    def run_set(self, found: dict[str, Any], name: str, *, methods: Sequence[str], quick: bool) -> None:
        """Run the trials of a set and put its results into the file's content."""
        for part in OF_SET:
            found[part].pop(name, None)
        found["measured"][name] = surroundings()
        if missing := what_lacks(name):
            found["left_out"][name] = missing
            print(f"set {name} left out: {missing}", file=sys.stderr)
            return
        tasks = tasks_of(name, QUICK if quick else LONG, methods, folder=self._folder)
        results, failed = self._queue(name, name, tasks)
        trials = [task.trial for task in tasks]
        add(found, name, by_method(trials, results), failed=failed, draws=QUICK_DRAWS if quick else DRAWS)

    def run_sweep(self, found: dict[str, Any], name: str) -> None:
        """Run the trials of a sweep and put what they gave into the file's content."""
        sweep = SWEEPS[name]
        cells = tasks_of_sweep(sweep, folder=self._folder)
        results, failed = self._queue(f"sweep {name}", sweep.of, by_seed(cells))
        of_cells = described(cells, results)
        found["sweeps"][name] = {"of": sweep.of, "cells": of_cells, "failed": failed}
        if of_cells:
            found["sweeps"][name]["picked_on_validation"] = picked(of_cells)
            print(sweep_table(name, found["sweeps"][name]))

    def _queue(self, title: str, of: str, tasks: Sequence[Task]) -> tuple[dict[str, Result], dict[str, str]]:
        with TrialBar(title, len(tasks)) as bar:
            results = run_queue(
                tasks,
                Ledger(self._ledgers / f"{of}.jsonl"),
                self._folder / "trials",
                processes=self._processes,
                watch=bar.watch,
                give_up=bar.give_up,
            )
        self.failures += bar.failed.values()
        return results, bar.failed


def empty(*, quick: bool) -> dict[str, Any]:
    """A benchmark's file without a set."""
    return {"quick": quick, "verdicts": [], "sweeps": {}} | {part: {} for part in OF_SET}


def kept(out: Path, *, quick: bool) -> dict[str, Any]:
    """What the file holds of an earlier run of this form, for the sets that are not run now."""
    found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    return empty(quick=quick) | found if found.get("quick") is quick else empty(quick=quick)


def add(
    found: dict[str, Any],
    name: str,
    results: Mapping[str, Sequence[Result]],
    *,
    failed: dict[str, str],
    draws: int = DRAWS,
) -> None:
    """Puts a set's results into the file's content, and prints its tables."""
    found["failed"][name] = failed
    runs = [run for of in results.values() for run in of]
    found["measured"][name]["trials"] = made([run["made"] for run in runs if "made" in run])
    found["sets"][name] = with_gaps(summarise(results, bases=COMPARED, draws=draws))
    for method, metrics in film_metrics(results).items():
        found["sets"][name][method] |= metrics
    print(table(name, found["sets"][name]))
    if BASE in results:
        rounds = rounds_at_equal_time(results)
        found["equal_time"][name] = with_gaps(summarise(results, bases=COMPARED, rounds=rounds, draws=draws))
        print(table(f"{name}, equal time", found["equal_time"][name]))


def with_gaps(methods: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The summaries with the difference to training alone under its name, and the share of the gap to pooled data.

    ``gap_closed`` is 0 for fedavg and 1 for pooled training, for the mean and for the worst site; it is left out where
    pooled training is not better than fedavg.
    """
    for found in methods.values():
        if (apart := found.pop(f"difference_to_{LOCAL}", None)) is not None:
            found["difference_to_alone"] = apart
        if {BASE, POOLED} <= methods.keys():
            found["gap_closed"] = {
                over: round((found[key] - methods[BASE][key]) / (methods[POOLED][key] - methods[BASE][key]), 3)
                for over in ("mean", "worst")
                for key in found
                if key in (f"{over}_recall_at_5", f"{over}_auroc") and methods[POOLED][key] > methods[BASE][key]
            }
    return methods


def made(trials: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """When the first and the last of a set's trials ended, by which versions of the code, and their processor hours.

    A result in the ledger is taken as it is, whoever made it: the text of the code is no part of a trial's name, only
    ``FORMAT`` is. Increase it when a trial gives other numbers.
    """
    ended, code = sorted(one["ended"] for one in trials), sorted({one["code"] for one in trials})
    if len(code) > 1:
        print(f"trials of {len(code)} versions of the code, all of one FORMAT", file=sys.stderr)
    hours = sum(one.get("processor_seconds", 0.0) for one in trials) / 3600
    return {"ended": [*ended[:1], *ended[-1:]], "code": code, "processor_hours": round(hours, 2)}


def write(out: Path, found: Mapping[str, Any]) -> None:
    """The file with what there is so far, whole or not at all."""
    replace_text(out, json.dumps(found, indent=1) + "\n")


def rounds_at_equal_time(results: Mapping[str, Sequence[Result]]) -> dict[str, int]:
    """Method → how many of its rounds fit whole into the time of all of fedavg's, at most as many as it was run for.

    A round takes what it took in the run that was disturbed least.
    """
    of_round = {m: min(float(run["seconds"]) / run["rounds"] for run in runs) for m, runs in results.items()}
    most = {method: runs[0]["rounds"] for method, runs in results.items()}
    time = most[BASE] * of_round[BASE]
    return {method: min(most[method], int(time / of_round[method] + 1e-9)) for method in results}


if __name__ == "__main__":
    main()
