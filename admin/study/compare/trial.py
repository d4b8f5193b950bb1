"""One trial: one method, data set and seed. It runs in a separate process and writes one file of plain JSON.

:mod:`admin.study.compare.trials` starts this module with the trial's file and the result's file. This module is not a
verb: users run ``python -m admin compare``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import torch

import fedaid
from admin.jobs.methods import LOCAL, METHODS, loop_settings, settings_of
from admin.results.file_hash import tree_sha256
from admin.study.compare.class_scores import probe_classes
from admin.study.compare.frozen_texts import FrozenTexts
from admin.study.compare.judge import Stored, judge, loaded
from admin.study.compare.rounds import Chosen, Outcome, ServerSettings, Workers, run_rounds
from admin.study.compare.sites import POOLED, EvaluationSet, Sites, make_workers, read_sites
from fedaid.atomic_file import replace_text
from fedaid.errors import require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.local_folder import VARIABLE
from fedaid.training.settings import TrainingSettings

FORMAT = 2  # increase it when the computation of a trial changes
Tested = dict[str, Stored]  # test set → hits or class scores of a model, and its calibration error


@dataclass(frozen=True)
class Trial:
    """Everything that determines a trial's result.

    Attributes:
        data: a unique name for the data.
        sites: site → data root.
        held_out: name → data root of an extra test split that belongs to no site.
        method: a key of ``admin.jobs.methods.METHODS``.
        seed: seed of the initial model and of all random draws in training.
        model: constructor arguments of the model, without the seed.
        settings: settings of training and server by the job's names; the method's settings override them.
        cache: folder of decoded images.
        alone: result file of the method ``local`` on the same data and seed; it is read if the method's loss baseline
            is ``alone``.
        changes: settings that override the method's.
        models: folder of ``local:`` encoders; empty leaves the environment's. Put a hash of their weights into their
            names, because the folder is no part of the trial's name.
        classes: class → prompts. With classes a test measures zero-shot classification in place of retrieval; each
            study has one class, its first label.
        inflated: site → factor of the losses that it reports.
    """

    data: str
    sites: Mapping[str, str]
    held_out: Mapping[str, str]
    method: str
    seed: int
    model: Mapping[str, Any]
    settings: Mapping[str, Any]
    cache: str
    alone: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    models: str = ""
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    inflated: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A short name that is unique to the configuration.

        It depends neither on where files lie nor on what is off: a setting of 0, or an empty field here, is left out.
        So results keep their names when a setting or a field is added that changes nothing unless it is used.
        """
        both = [{**self.settings, **settings_of(METHODS[m], self.settings)} for m in (self.method, LOCAL)]
        trial = without_off(asdict(replace(self, cache="", alone=None, settings={}, models="")))
        trial |= {"sites": list(self.sites), "held_out": list(self.held_out), "seed": self.seed}
        decisive = json.dumps([FORMAT, [without_off(settings) for settings in both], trial], sort_keys=True)
        return f"{self.data}-{self.method}-{self.seed}-{sha256(decisive.encode()).hexdigest()[:12]}"

    @property
    def label(self) -> str:
        """The method and what is changed of it, such as ``fedaid, binding_weight=0.3``."""
        return ", ".join([self.method, *(f"{name}={value}" for name, value in self.changes.items())])


def without_off(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are neither 0, nor false, nor empty."""
    return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Bench:
    """The inputs that all kinds of training share; ``judged`` is the model that loads weights for a test."""

    trial: Trial
    judged: DualEncoder
    texts: FrozenTexts
    sites: Sites
    tests: Mapping[str, EvaluationSet]
    training: TrainingSettings
    server: ServerSettings
    alone: Mapping[str, float]

    def train(self, workers: Workers, tests: Collection[str]) -> Trained:
        """Run the rounds from the seed's initial model, and test each model that is the best so far."""
        first = next(iter(workers.values()))
        found: dict[int, Tested] = {}

        def test(chosen: Chosen) -> None:
            found[chosen.round_number] = self.tested(chosen, tests)

        told = {"alone": self.alone, "inflated": self.trial.inflated}
        outcome = run_rounds(workers, first.tensors(), self.server, **told, chosen=test, watch=progress)
        return Trained(outcome, found)

    def tested(self, chosen: Chosen, tests: Collection[str]) -> Tested:
        """Return test set → hits; a site that does not share all tensors tests the model with its tensors."""
        shared = {name: self.tests[name] for name in tests if name not in chosen.at}
        found = self.judge(chosen.tensors, shared)
        for site, tensors in chosen.at.items():
            found |= self.judge(tensors, {site: self.tests[site]})
        return found

    def judge(self, tensors: Mapping[str, Any], tests: Mapping[str, EvaluationSet]) -> Tested:
        """Return test set → what the model with these tensors reaches."""
        return judge(loaded(self.judged, tensors), tests, self.trial.classes)

    def probes(self, outcome: Outcome) -> dict[str, dict[str, float]]:
        """Return test set → share of labels → AUROC of a linear probe on the selected model; empty without classes."""
        if not self.trial.classes:
            return {}
        train = {name: self.sites.data(name).train for name in self.sites.images}
        return probe_classes(loaded(self.judged, outcome.best), train, self.tests, classes=list(self.trial.classes))

    def workers(self, names: Sequence[str], training: TrainingSettings | None = None) -> Workers:
        """Return the workers of these sites; the site ``pooled`` has the data of all sites."""
        data = {name: self.sites.pooled() if name == POOLED else self.sites.data(name) for name in names}
        workers = make_workers(data, {**self.trial.model, "seed": self.trial.seed}, training or self.training)
        for worker in workers.values():
            self.texts.serve(worker.model)
        return workers


class Trained(NamedTuple):
    """The outcome of a training, and round → hits of the model that was the best at that round."""

    outcome: Outcome
    tested: Mapping[int, Tested]


def run_trial(trial: Trial) -> dict[str, Any]:
    """Train, test and return the result as plain JSON.

    Returns:
        ``models``: model → round → test set → hits and calibration error, for each model that was the best of its
        training at that round, see :func:`admin.study.compare.judge.hits_after`; ``local`` has one model per site.
        ``curves``: the history of the rounds. ``best_round`` and ``site_weights``: one entry per model.
        ``seconds``: see :class:`Outcome`. ``probes``: see :meth:`Bench.probes`. ``made``: see :func:`made`.
    """
    torch.set_num_threads(1)
    if trial.models:
        os.environ[VARIABLE] = trial.models
    model = DualEncoder(**trial.model, seed=trial.seed)
    roots = {name: Path(root) for name, root in {**trial.sites, **trial.held_out}.items()}
    everything = read_sites(roots, model.configuration, cache=Path(trial.cache))
    sites = Sites({name: everything.images[name] for name in trial.sites}, everything.configuration)
    settings = loop_settings(trial.method, {**trial.settings, "seed": trial.seed}, trial.changes)
    tests = everything.test_sets()
    texts, server = FrozenTexts(), ServerSettings.of(settings)
    alone = alone_losses(trial) if server.minmax.loss_baseline == "alone" else {}
    bench = Bench(trial, texts.serve(model), texts, sites, tests, settings.training, server, alone)
    trained = train(bench)
    outcomes = {name: found.outcome for name, found in trained.items()}
    return {
        "trial": asdict(trial),
        "seconds": max(outcome.seconds for outcome in outcomes.values()),
        "rounds": settings.rest["num_rounds"],
        "best_round": {name: outcome.best_round for name, outcome in outcomes.items()},
        "site_weights": {name: dict(outcome.site_weights) for name, outcome in outcomes.items()},
        "curves": {name: list(outcome.history) for name, outcome in outcomes.items()},
        "models": {name: found.tested for name, found in trained.items()},
        "probes": {name: bench.probes(outcome) for name, outcome in outcomes.items()},
        "made": made(),
    }


def made() -> dict[str, Any]:
    """Return the time in UTC, the process's processor seconds, and a hash of the code: ``fedaid`` and this package."""
    trees = (Path(fedaid.__file__).parent, Path(__file__).parent)
    code = sha256("".join(map(tree_sha256, trees)).encode()).hexdigest()
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    return {"ended": ended, "code": code, "processor_seconds": round(process_time(), 1)}


def train(bench: Bench) -> dict[str, Trained]:
    """Return model → its training: one model per site for ``local``, else one model for all sites."""
    names, everywhere = list(bench.sites.images), list(bench.tests)
    if bench.trial.method == LOCAL:  # each site tests its own model; every model is tested on the held-out patients
        return {name: bench.train(bench.workers([name]), [name, *bench.trial.held_out]) for name in names}
    if bench.trial.method == POOLED:  # as many pairs as all sites together
        steps = len(names) * bench.training.pretrain_steps
        workers = bench.workers([POOLED], replace(bench.training, pretrain_steps=steps))
        return {POOLED: bench.train(workers, everywhere)}
    return {"global": bench.train(bench.workers(names), everywhere)}


def alone_losses(trial: Trial) -> dict[str, float]:
    """Return site → validation loss in nats of the best model that it trained alone.

    Raises:
        InputError: no such trial is known. Without it the site weights would not move, and the result would be wrong.
    """
    where, remedy = f"trial {trial.name}", f"Run {LOCAL} with it."
    rule = "be the file with the result of the sites alone"
    require(trial.alone is not None, "alone", rule, got=trial.alone, where=where, remedy=remedy)
    result = json.loads(Path(str(trial.alone)).read_text(encoding="utf-8"))
    best = result["best_round"]
    return {site: rounds[best[site]]["valid"][site]["loss"] for site, rounds in result["curves"].items()}


def progress(entry: Mapping[str, Any]) -> None:
    """Print one line per round to standard error."""
    losses = " ".join(f"{site}={found['loss']:.2f}" for site, found in entry["valid"].items())
    print(f"round {entry['round']}: loss {losses}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Run the trial in a file and write its result atomically."""
    source, target = map(Path, arguments)
    result = run_trial(Trial(**json.loads(source.read_text(encoding="utf-8"))))
    replace_text(target, json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
