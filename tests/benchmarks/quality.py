"""``python -m tests.benchmarks.quality``: every method on three data sets, in build/bench/quality.json.

At equal compute, and again at equal time: the model that a method had chosen when fedavg's time was over.

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
from pathlib import Path
from typing import Any

from admin.jobs.methods import METHODS
from admin.study.compare.comparison import METHOD, by_method
from admin.study.compare.summary import BASE, summarise
from admin.study.compare.summary_table import table
from admin.study.compare.trial_bar import TrialBar
from admin.study.compare.trials import Result, run_trials
from fedaid.atomic_file import replace_text
from tests.benchmarks.machine import surroundings
from tests.benchmarks.quality_goals import verdicts
from tests.benchmarks.quality_trials import LONG, QUICK, trials_of, what_real_lacks

OUT, QUICK_OUT = Path("build/bench/quality.json"), Path("build/bench/quality-quick.json")
SETS = ("twin", "noisy", "real")
COMPARED = (BASE, METHOD)
OF_SET = ("measured", "sets", "equal_time", "left_out", "failed")  # of the file, by set


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, write the file and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small form of all of it, a few minutes")
    parser.add_argument("--sets", nargs="+", choices=SETS, help="these alone; the others stay as they are in the file")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="these alone")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    parser.add_argument("--out", type=Path, help=f"default: {OUT}, {QUICK_OUT} with --quick")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else LONG
    methods = options.methods or size.methods
    out = options.out or (QUICK_OUT if options.quick else OUT)
    out.parent.mkdir(parents=True, exist_ok=True)
    found = kept(out, quick=options.quick) if options.sets else empty(quick=options.quick)
    names = options.sets or SETS
    for name in names:
        for part in OF_SET:
            found[part].pop(name, None)
        found["measured"][name] = surroundings()
        if name == "real" and (missing := what_real_lacks()):
            found["left_out"][name] = missing
            print(f"set real left out: {missing}", file=sys.stderr)
        else:
            trials = trials_of(name, size, methods, folder=out.parent / "quality")
            with TrialBar(name, len(trials)) as bar:
                results = run_trials(
                    trials,
                    out.parent / "quality" / "trials",
                    processes=options.processes,
                    watch=bar.watch,
                    give_up=bar.give_up,
                )
            add(found, name, by_method(trials, results), failed=bar.failed)
        found["verdicts"] = [verdict.as_json() for verdict in verdicts(found["sets"])]
        write(out, found)
    print("\n".join(verdict.line for verdict in verdicts(found["sets"])))
    if failures := [failure for name in names for failure in found["failed"].get(name, {}).values()]:
        sys.exit("\n".join(failures))


def empty(*, quick: bool) -> dict[str, Any]:
    """A benchmark's file without a set."""
    return {"quick": quick, "verdicts": []} | {part: {} for part in OF_SET}


def kept(out: Path, *, quick: bool) -> dict[str, Any]:
    """What the file holds of an earlier run of this form, for the sets that are not run now."""
    found: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {}
    return found if found.get("quick") is quick else empty(quick=quick)


def add(found: dict[str, Any], name: str, results: Mapping[str, Sequence[Result]], *, failed: dict[str, str]) -> None:
    """Puts a set's results into the file's content, and prints its tables."""
    found["failed"][name] = failed
    found["measured"][name]["trials"] = made(
        [run["made"] for runs in results.values() for run in runs if "made" in run]
    )
    found["sets"][name] = summarise(results, bases=COMPARED)
    print(table(name, found["sets"][name]))
    if BASE in results:
        found["equal_time"][name] = summarise(results, bases=COMPARED, rounds=rounds_at_equal_time(results))
        print(table(f"{name}, equal time", found["equal_time"][name]))


def made(trials: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """When the first and the last of a set's trials ended, and by which versions of the code; more than one is told.

    A result that lies there is taken as it is, whoever made it: the code is no part of a trial's name.
    """
    ended, code = sorted(one["ended"] for one in trials), sorted({one["code"] for one in trials})
    if len(code) > 1:
        print(f"trials of {len(code)} versions of the code; to have one, remove the folder of trials", file=sys.stderr)
    return {"ended": [*ended[:1], *ended[-1:]], "code": code}


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
