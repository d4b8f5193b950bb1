"""Who gains if three small hospitals with reports in one style join, on several seeds.

python -m tests.benchmarks.small_gains FOLDER --seeds 11 12 13 14 15

A seed is one of the twin (patients, films, reports) and of the model and the training. The rounds run in plain Python,
which gives the numbers of the job on FLARE. A hospital's own model takes as many steps on its own pairs. A trial that
has a result is not run again. One line of JSON is printed for each seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from admin.jobs.methods import JOB, LOCAL
from admin.jobs.package import JOBS
from admin.jobs.settings import model_configuration
from admin.results.report.gains import GAINS, LOSES, verdict
from admin.results.report.share_intervals import Interval
from admin.study.compare.comparison import METHOD, trial_settings
from admin.study.compare.intervals import interval, resampled_site
from admin.study.compare.judge import Hits, hits_after
from admin.study.compare.trial import Trial
from admin.study.compare.trials import Result, run_trials
from admin.study.demo_jobs import PRETRAIN_STEPS, SETTINGS
from admin.twin.consortia import SMALL_HOSPITALS
from admin.twin.consortium import write_consortium
from admin.verbs.researcher.demo_run import ROUNDS

SEEDS = (11, 12, 13, 14, 15)  # hospitals, rounds and steps were chosen on seeds 1 and 2
NEEDED = 4  # of five seeds
RUN: Mapping[str, Any] = {**SETTINGS, "pretrain_steps": PRETRAIN_STEPS, "num_rounds": ROUNDS}  # those of the demo
Verdicts = Mapping[str, str]  # hospital → gains, loses, cannot tell


def written(seed: int, folder: Path) -> Path:
    """Return the folder of the seed's three hospitals; they are written once."""
    at = folder / f"small-{seed}"
    if not (at / "done").exists():
        write_consortium(at, hospitals=SMALL_HOSPITALS, seed=seed)
        (at / "done").touch()
    return at


def trials_of(seed: int, folder: Path) -> list[Trial]:
    """Return the seed's two trials, each hospital alone and all together."""
    at = written(seed, folder)
    model = {name: value for name, value in model_configuration(JOBS / JOB).items() if name != "seed"}
    return [
        Trial(
            data=at.name,
            sites={hospital.name: str(at / hospital.name) for hospital in SMALL_HOSPITALS},
            held_out={},
            method=method,
            seed=seed,
            model=model,
            settings=trial_settings(JOBS / JOB) | dict(RUN),
            cache=str(at / "cache"),
        )
        for method in (LOCAL, METHOD)
    ]


def gain(shared: Hits, own: Hits) -> Interval:
    """Return the difference in recall at 5 on the same test studies, in points, with its interval over patients."""
    draws = [resampled_site([hits], draws=1000, seed=0) for hits in (shared, own)]
    found = interval(draws[0] - draws[1])
    return Interval(found.mid, found.low, found.high)


def told(alone: Result, together: Result) -> dict[str, dict[str, Any]]:
    """Return hospital → recall at 5 of its own model and of the shared one, the gain and the verdict, in points."""
    own, shared = hits_after(alone), hits_after(together)
    rows = {}
    for hospital in shared:
        found = gain(shared[hospital][0], own[hospital][0])
        numbers = {"alone": float(own[hospital][0].points()), "shared": float(shared[hospital][0].points())}
        rows[hospital] = {name: round(value, 1) for name, value in numbers.items()} | {
            "gain": [round(value, 1) for value in (found.low, found.value, found.high)],
            "verdict": verdict(found),
        }
    return rows


def joining_pays(verdicts: Verdicts) -> bool:
    """Return whether no hospital loses and at least two gain."""
    found = list(verdicts.values())
    return LOSES not in found and found.count(GAINS) >= 2


def run(folder: Path, seeds: Sequence[int], *, processes: int = 2) -> dict[int, dict[str, dict[str, Any]]]:
    """Return seed → :func:`told`; runs the trials that have no result yet, ``processes`` at once."""
    of = {seed: trials_of(seed, folder) for seed in seeds}
    found = run_trials([trial for trials in of.values() for trial in trials], folder / "trials", processes=processes)
    return {seed: told(*(found[trial.name] for trial in trials)) for seed, trials in of.items()}


def main() -> None:
    """Run the seeds and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--processes", type=int, default=2, help="trials at once (default: %(default)s)")
    given = parser.parse_args()
    for seed, rows in run(given.folder.resolve(), given.seeds, processes=given.processes).items():
        pays = joining_pays({name: row["verdict"] for name, row in rows.items()})
        print(json.dumps({"seed": seed, "pays": pays} | rows), flush=True)


if __name__ == "__main__":
    main()
