"""A comparison of methods on the data of this machine: its trials and their summary. It can be interrupted."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from admin.jobs.methods import JOB
from admin.jobs.package import JOBS
from admin.jobs.settings import change_settings, model_configuration, settable, typed_settings, values_by_name
from admin.study.compare.summary import BASE, summarise
from admin.study.compare.trial import Trial
from admin.study.compare.trials import Result, TrialFailed, run_trials
from fedaid.atomic_file import replace_text
from fedaid.data.manifest import FILE_NAME
from fedaid.minmax.norm_clipping import ClipSettings
from fedaid.minmax.server_optimizer import ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings
from fedaid.training.settings import TrainingSettings

METHOD = "fedaid"
SUMMARY = "compare.json"
SERVER_SETTINGS = {"alignment_phase", "selection_metric", "selection_share"}
KINDS = (TrainingSettings, MinMaxSettings, ClipSettings, ServerOptimizerSettings)
USED = SERVER_SETTINGS.union(*({field.name for field in fields(kind)} for kind in KINDS))


def trial_settings(job: Path) -> dict[str, Any]:
    """Return the settings of a job that a trial uses, by plain name."""
    return {name: value for name, value in values_by_name(job).items() if name in USED}


@dataclass(frozen=True)
class Comparison:
    """Methods, seeds and data to compare.

    Attributes:
        sites: site → data folder.
        methods: keys of :data:`admin.jobs.methods.METHODS`.
        seeds: seeds of the initial model and of training; each method and seed is one trial.
        model: constructor arguments of the model.
        settings: settings of training and server, with ``num_rounds``.
        out: folder of the trials' results, the decoded images and the summary.
        held_out: name → data folder of an extra test split that belongs to no site.
    """

    sites: Mapping[str, Path]
    methods: Sequence[str]
    seeds: Sequence[int]
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    out: Path
    held_out: Mapping[str, Path]

    def trials(self) -> list[Trial]:
        """Return the trials seed by seed, so that an interrupted comparison has complete seeds."""
        data = key_of({**self.sites, **self.held_out})
        return [
            Trial(
                data=f"data-{data}",
                sites={site: str(root.resolve()) for site, root in self.sites.items()},
                held_out={name: str(root.resolve()) for name, root in self.held_out.items()},
                method=method,
                seed=seed,
                model=self.model,
                settings=self.settings,
                cache=str((self.out / "images").resolve()),
            )
            for seed in self.seeds
            for method in self.methods
        ]

    def run(
        self,
        *,
        processes: int,
        watch: Callable[[Trial, float], None],
        give_up: Callable[[Trial, TrialFailed], None],
    ) -> dict[str, dict[str, Any]]:
        """Run the trials that have no result yet, write :data:`SUMMARY` and return method → its summary.

        The summary omits a method with a failed trial. The arguments are those of :func:`run_trials`.
        """
        trials = self.trials()
        results = run_trials(trials, self.out / "trials", processes=processes, watch=watch, give_up=give_up)
        found = summarise(by_method(trials, results), bases=(BASE, METHOD))
        replace_text(self.out / SUMMARY, json.dumps(found, indent=1) + "\n")
        return found


def job_changed(pairs: Sequence[str], rounds: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return model and settings of the job ``JOB`` after the changes that ``package --set`` would make.

    Args:
        pairs: NAME=VALUE, as typed.
        rounds: number of rounds; None takes the job's.

    Raises:
        InputError: a setting is unknown, or its value has the wrong type.
    """
    with tempfile.TemporaryDirectory(prefix="fedaid-compare-") as folder:
        job = Path(shutil.copytree(JOBS / JOB, Path(folder) / JOB))
        change_settings(job, typed_settings(pairs, settable(job)))
        model = {name: value for name, value in model_configuration(job).items() if name != "seed"}
        values = values_by_name(job)
        settings = trial_settings(job)
    return model, {**settings, "num_rounds": values["num_rounds"] if rounds is None else rounds}


def key_of(roots: Mapping[str, Path]) -> str:
    """Return a short key of the sites' manifests; it changes with any of them."""
    digests = [(name, sha256((root / FILE_NAME).read_bytes()).hexdigest()) for name, root in sorted(roots.items())]
    return sha256(json.dumps(digests).encode()).hexdigest()[:8]


def by_method(trials: Sequence[Trial], results: Mapping[str, Result]) -> dict[str, list[Result]]:
    """Return method, with its changes, → its results in the order of seeds, for methods whose results are complete."""
    methods = dict.fromkeys(trial.label for trial in trials)
    runs = {method: [trial.name for trial in trials if trial.label == method] for method in methods}
    return {method: [results[n] for n in names] for method, names in runs.items() if results.keys() >= set(names)}
