"""Forms of a small model with small alignment modules, compared with the jobs' default model on the demo's hospitals.

python -m tests.benchmarks.default_model FOLDER --seeds 1 2 --choose     # validation splits only: to pick a form
python -m tests.benchmarks.default_model FOLDER --forms paper --seeds 11 12 13 14 15

A round of FedAID moves 1 + s of FedAvg's bytes, where s is the share of the alignment modules in the model. Hospitals,
settings and rounds are those of the demo, in plain Python. A seed is one of the hospitals (patients, films, reports)
and of the model and the training. A trial that has a result is not run again. One line of JSON is printed for each
form, at the end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from admin.jobs.cost import model_size
from admin.jobs.methods import JOB
from admin.jobs.package import JOBS
from admin.jobs.settings import model_configuration
from admin.study.compare.comparison import METHOD, trial_settings
from admin.study.compare.judge import hits_after
from admin.study.compare.trial import Trial
from admin.study.compare.trials import Result, run_trials
from admin.twin.consortia import SMALL_HOSPITALS
from tests.benchmarks.small_gains import RUN, written
from tests.benchmarks.spread import difference

DEFAULT = "default"


def form(
    hidden_sizes: Sequence[int], depths: Sequence[int], *, text_layers: int, projection_hidden: int = 64
) -> dict[str, Any]:
    """Settings of a form: a ResNet with these stages, and a BERT of width 128 whose layers have a narrow middle."""
    image = {"name": "resnet", "hidden_sizes": list(hidden_sizes), "depths": list(depths)}
    image["embedding_size"] = min(32, hidden_sizes[0])
    text = {"name": "bert", "num_hidden_layers": text_layers, "intermediate_size": 128}
    return {"image_encoder": image, "text_encoder": text, "projection_hidden": projection_hidden}


FORMS: Mapping[str, dict[str, Any]] = {
    DEFAULT: {},
    "paper": form([32, 64, 64], [1, 2, 2], text_layers=3),
    "light": form([16, 32, 64], [1, 1, 3], text_layers=3),
    "plain": form([32, 64, 64], [1, 2, 2], text_layers=2),
    "mid": form([32, 64, 96], [1, 1, 3], text_layers=3),
    "wide": form([32, 64, 128], [1, 1, 3], text_layers=2),
}


def model_of(name: str) -> dict[str, Any]:
    """Constructor arguments of a form's model, without the seed."""
    given = model_configuration(JOBS / JOB) | FORMS[name]
    return {key: value for key, value in given.items() if key != "seed"}


def alignment_share(name: str) -> float:
    """Share of the alignment modules in a form's bytes, in [0, 1]."""
    size = model_size(model_of(name))
    return size.alignment / size.whole


def trial(name: str, *, seed: int, folder: Path) -> Trial:
    """One run of the demo's rounds with a form."""
    at = written(seed, folder)
    return Trial(
        data=at.name,
        sites={hospital.name: str(at / hospital.name) for hospital in SMALL_HOSPITALS},
        held_out={},
        method=METHOD,
        seed=seed,
        model=model_of(name),
        settings=trial_settings(JOBS / JOB) | dict(RUN),
        cache=str(at / "cache"),
    )


def validated(result: Result) -> dict[str, float]:
    """Means over the sites of the chosen model's loss in nats and batch accuracy, on the validation splits."""
    (history,) = result["curves"].values()
    (best,) = result["best_round"].values()
    metrics = history[best]["valid"].values()
    return {name: fmean(found[name] for found in metrics) for name in ("loss", "batch_accuracy")}


def tested(result: Result) -> dict[str, float]:
    """Mean and lowest recall at 5 over the sites' test splits, in points."""
    recalls = [float(hits.points()) for (hits,) in hits_after(result).values()]
    return {"mean": fmean(recalls), "worst": min(recalls)}


def compared(found: Mapping[str, Sequence[Result]], *, choose: bool) -> dict[str, dict[str, Any]]:
    """Form → its measures, seed by seed, and their paired differences from the default's if there are two seeds.

    Args:
        found: form → its results in the order of the seeds; the default is one of them.
        choose: whether to read the validation splits instead of the test splits.
    """
    read = validated if choose else tested
    rows = {name: [read(result) for result in results] for name, results in found.items()}
    told: dict[str, dict[str, Any]] = {}
    for name, results in found.items():
        told[name] = {
            "megabytes": round(model_size(model_of(name)).whole / 1e6, 2),
            "alignment_share": round(alignment_share(name), 4),
            "seconds_a_round": round(fmean(float(result["seconds"]) / result["rounds"] for result in results), 2),
            **{key: [round(row[key], 4) for row in rows[name]] for key in rows[name][0]},
        }
        if name != DEFAULT and len(results) > 1:
            told[name]["difference"] = {
                key: asdict(difference([row[key] for row in rows[name]], [row[key] for row in rows[DEFAULT]]))
                for key in rows[name][0]
            }
    return told


def main() -> None:
    """Run the trials that have no result yet and print a line of JSON for each form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--forms", nargs="+", choices=[name for name in FORMS if name != DEFAULT], default=["mid"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2], help="of hospitals, model and training")
    parser.add_argument("--processes", type=int, default=2, help="trials at once (default: %(default)s)")
    parser.add_argument("--choose", action="store_true", help="measure on the validation splits")
    given = parser.parse_args()
    folder = given.folder.resolve()
    forms = (DEFAULT, *given.forms)
    of = {name: [trial(name, seed=seed, folder=folder) for seed in given.seeds] for name in forms}
    every = [one for trials in of.values() for one in trials]
    results = run_trials(every, folder / "trials", processes=given.processes)
    found = {name: [results[one.name] for one in trials] for name, trials in of.items()}
    for name, row in compared(found, choose=given.choose).items():
        print(json.dumps({"form": name} | row), flush=True)


if __name__ == "__main__":
    main()
