"""One trial: a method, a data set, a seed; runs in a process of its own and writes one file of plain JSON.

python -m admin.compare.trial TRIAL.json RESULT.json
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from admin.compare.judge import Hits, judge, loaded
from admin.compare.rounds import Outcome, Plan, Tensors, Workers, run_rounds
from admin.compare.sites import POOLED, EvaluationSet, Sites, make_workers, read_sites
from admin.methods import LOCAL, METHODS, loop_settings
from fedaid.flare.run_store import replace_text
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings

FORMAT = 1  # raise it when what a trial does changes, or the data that it finds at a path


@dataclass(frozen=True)
class Trial:
    """All that decides a trial's numbers.

    Attributes:
        data: a name for the data, for people.
        sites: site → data root.
        held_out: name → data root whose test split no site owns.
        method: a key of ``admin.methods.METHODS``.
        seed: of the first model and of all that is drawn in training.
        model: constructor arguments of the model, without the seed.
        settings: of training and server, over which the method's are laid, in the names of the job's settings.
        cache: folder of decoded images.
        alone: file with the result of the method ``local`` on the same data and seed, for what a site reaches alone.
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

    @property
    def name(self) -> str:
        """Short, and another for every other configuration."""
        methods = [dict(METHODS[method].settings) for method in (self.method, LOCAL)]  # for what a site reaches alone
        decisive = json.dumps([FORMAT, methods, asdict(replace(self, cache="", alone=None))], sort_keys=True)
        return f"{self.data}-{self.method}-{self.seed}-{sha256(decisive.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Bench:
    """What the ways to train share."""

    trial: Trial
    sites: Sites
    training: TrainingSettings
    plan: Plan
    alone: Mapping[str, float]

    def train(self, workers: Workers) -> Outcome:
        """The rounds, from the model of the seed."""
        start = next(iter(workers.values())).tensors()
        return run_rounds(workers, start, self.plan, alone=self.alone, watch=progress)

    def workers(self, names: Sequence[str], training: TrainingSettings | None = None) -> Workers:
        """Workers of these sites; ``pooled`` is the site that has everybody's data."""
        data = {name: self.sites.pooled() if name == POOLED else self.sites.data(name) for name in names}
        return make_workers(data, {**self.trial.model, "seed": self.trial.seed}, training or self.training)


def run_trial(trial: Trial) -> dict[str, Any]:
    """Trains and tests; what is kept of it as plain JSON.

    Returns:
        ``hits``: test set → one entry a model (several for ``local`` on a held-out population); ``curves``: the
        history of the rounds; ``best_round``, ``site_weights``; ``seconds`` of the processor for training, which on
        one thread is the time it takes on an idle machine, and other trials beside it do not lengthen.
    """
    torch.set_num_threads(1)
    model = DualEncoder(**trial.model, seed=trial.seed)
    roots = {name: Path(root) for name, root in {**trial.sites, **trial.held_out}.items()}
    everything = read_sites(roots, model.configuration, cache=Path(trial.cache))
    sites = Sites({name: everything.images[name] for name in trial.sites}, everything.configuration)
    settings = loop_settings(trial.method, {**trial.settings, "seed": trial.seed})
    bench = Bench(trial, sites, settings.training, Plan.of(settings), alone_losses(trial))
    started = time.process_time()
    outcomes = trained(bench)
    seconds = time.process_time() - started
    tests = everything.test_sets()
    found = {name: judge(loaded(model, tensors), tests) for name, tensors in selected(outcomes).items()}
    return {
        "trial": asdict(trial),
        "seconds": seconds,
        "rounds": bench.plan.rounds,
        "best_round": {name: outcome.best_round for name, outcome in outcomes.items()},
        "site_weights": {name: dict(outcome.site_weights) for name, outcome in outcomes.items()},
        "curves": {name: list(outcome.history) for name, outcome in outcomes.items()},
        "hits": tested(found, tests, own=set(trial.sites)) | tested_at_sites(outcomes, model, tests),
    }


def trained(bench: Bench) -> dict[str, Outcome]:
    """Name of a model → how its training ended: one for each site that trains alone, else one for all."""
    names = list(bench.sites.images)
    if bench.trial.method == LOCAL:
        return {name: bench.train(bench.workers([name])) for name in names}
    if bench.trial.method == POOLED:  # as many pairs as all sites together
        steps = len(names) * bench.training.pretrain_steps
        return {POOLED: bench.train(bench.workers([POOLED], replace(bench.training, pretrain_steps=steps)))}
    return {"global": bench.train(bench.workers(names))}


def selected(outcomes: Mapping[str, Outcome]) -> dict[str, Tensors]:
    """The best models."""
    return {name: outcome.best for name, outcome in outcomes.items()}


def tested(
    found: Mapping[str, Mapping[str, Hits]], tests: Mapping[str, EvaluationSet], *, own: set[str]
) -> dict[str, list[dict[str, list[float]]]]:
    """Test set → hits of the models that count there: a site's own one where it has one, else all."""
    return {
        test: [hits[test].as_json() for name, hits in found.items() if not (test in own and name in own - {test})]
        for test in tests
    }


def tested_at_sites(
    outcomes: Mapping[str, Outcome], model: DualEncoder, tests: Mapping[str, EvaluationSet]
) -> dict[str, list[dict[str, list[float]]]]:
    """Test set → hits of the shared model as its site uses it, of the sites that keep some of their own."""
    return {
        site: [judge(loaded(model, tensors), {site: tests[site]})[site].as_json()]
        for outcome in outcomes.values()
        for site, tensors in outcome.best_at.items()
    }


def alone_losses(trial: Trial) -> dict[str, float]:
    """Site → validation loss in nats of the best model that it trained alone; empty where no such trial is known."""
    if trial.alone is None:
        return {}
    result = json.loads(Path(trial.alone).read_text(encoding="utf-8"))
    best = result["best_round"]
    return {site: rounds[best[site]]["valid"][site]["loss"] for site, rounds in result["curves"].items()}


def progress(entry: Mapping[str, Any]) -> None:
    """One line a round on standard error."""
    losses = " ".join(f"{site}={found['loss']:.2f}" for site, found in entry["valid"].items())
    print(f"round {entry['round']}: loss {losses}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> None:
    """Run the trial of a file and write its result, whole or not at all."""
    source, target = map(Path, arguments)
    result = run_trial(Trial(**json.loads(source.read_text(encoding="utf-8"))))
    replace_text(target, json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1:])
