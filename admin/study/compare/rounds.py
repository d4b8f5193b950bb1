"""The rounds of every method in plain Python: the algorithm box of the method, with nothing else around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import process_time
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from admin.jobs.methods import LoopSettings
from fedaid.evaluation.retrieval import split_metrics
from fedaid.minmax.loss_baseline import ALONE_LOSS, LossBaseline
from fedaid.minmax.selection import BestModel, Selection
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.weighted_average import apply, renormalise, weighted_sum
from fedaid.models.tensor_names import is_alignment, is_statistic
from fedaid.training.site_worker import SiteWorker

Tensors = Mapping[str, NDArray[Any]]
Workers = Mapping[str, SiteWorker]
Metrics = dict[str, dict[str, float]]  # site → metric → value
NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class ServerSettings:
    """Settings of a method that the server takes.

    Attributes:
        rounds: how many.
        minmax: of the site weights.
        optimizer: of the server.
        alignment_phase: whether a round starts with the alignment phase.
        selection: of the best model.
    """

    rounds: int
    minmax: MinMaxSettings = field(default_factory=MinMaxSettings)
    optimizer: ServerOptimizerSettings = field(default_factory=ServerOptimizerSettings)
    alignment_phase: bool = True
    selection: Selection = field(default_factory=Selection)

    @classmethod
    def of(cls, settings: LoopSettings) -> ServerSettings:
        """Those of a method; a setting that the method leaves out has the default of the job's code."""
        rest = settings.rest
        chosen = {"name": rest.get("selection_metric"), "share": rest.get("selection_share")}
        selection = Selection(**{name: value for name, value in chosen.items() if value is not None})
        phase = rest.get("alignment_phase", True)
        return cls(rest["num_rounds"], settings.minmax, settings.optimizer, phase, selection)


@dataclass(frozen=True)
class Chosen:
    """A model that was the best of a run so far.

    Attributes:
        round_number: how many rounds it was trained for.
        tensors: of the model.
        at: site → tensors of the model as the site uses it, for sites that keep some of their own.
    """

    round_number: int
    tensors: Tensors
    at: Mapping[str, Tensors]


@dataclass(frozen=True)
class Outcome:
    """A run's end.

    Attributes:
        tensors: of the last model.
        site_weights: after the last round.
        best: tensors of the selected model.
        best_at: site → tensors of the selected model as the site uses it, for sites that keep some of their own.
        best_round: how many rounds it was trained for.
        seconds: of the processor, of the slowest site in each round, summed: the sites of a federation work side by
            side. On one thread it is the time that this takes on an idle machine.
        history: a round an entry: the validation metrics of each site, and the site weights that followed from them;
            the last entry is the last model's.
    """

    tensors: Tensors
    site_weights: Mapping[str, float]
    best: Tensors
    best_at: Mapping[str, Tensors]
    best_round: int
    seconds: float
    history: tuple[Mapping[str, Any], ...]


class Rounds:
    """A run that is under way.

    Args:
        workers: site → its worker; what the sites do is in the workers' settings.
        theta: tensors of the first model.
        server: settings of the server.
        alone: site → validation loss in nats of a model that it trained alone, where the server's baseline needs it.
        chosen: called with each model that is the best so far.
    """

    def __init__(
        self,
        workers: Workers,
        theta: Tensors,
        server: ServerSettings,
        *,
        alone: Mapping[str, float] = NOTHING,
        chosen: Callable[[Chosen], None] = lambda _: None,
    ) -> None:
        self._workers, self._theta, self._server, self._alone = workers, theta, server, alone
        self._when_chosen, self._busy, self._seconds = chosen, dict.fromkeys(workers, 0.0), 0.0
        self._weights, self._baseline = (
            SiteWeights(server.minmax, list(workers)),
            LossBaseline(server.minmax.loss_baseline),
        )
        self._optimizer = ServerOptimizer(server.optimizer, is_statistic=is_statistic)
        self._best, self._chosen = BestModel(server.selection), Chosen(0, theta, {})
        self._history: list[Mapping[str, Any]] = []

    def run(self, watch: Callable[[Mapping[str, Any]], None] = lambda _: None) -> Outcome:
        """All rounds; ``watch`` is called with each entry of the history."""
        for number in range(self._server.rounds):
            metrics = self._measure(number)
            self._weigh(metrics)
            watch(self._note(number, metrics))
            ideal = self._align(number) if self._server.alignment_phase else {}
            self._pretrain(number, ideal)
            self._end_of_round()
        watch(self._note(self._server.rounds, self._measure(self._server.rounds)))
        self._end_of_round()
        return Outcome(
            self._theta,
            self._weights.current,
            self._chosen.tensors,
            self._chosen.at,
            self._chosen.round_number,
            self._seconds,
            tuple(self._history),
        )

    @contextmanager
    def _working(self, site: str) -> Iterator[SiteWorker]:
        """The site's worker, whose time is taken."""
        begun = process_time()
        yield self._workers[site]
        self._busy[site] += process_time() - begun

    def _end_of_round(self) -> None:
        """All sites have waited for the slowest."""
        self._seconds += max(self._busy.values())
        self._busy = dict.fromkeys(self._workers, 0.0)

    def _measure(self, number: int) -> Metrics:
        """Every site measures θ on its validation split; θ is kept if it is the best model so far."""
        metrics = {}
        for site in self._workers:
            with self._working(site) as worker:
                worker.load(self._theta)
                metrics[site] = split_metrics(worker.validate("valid")) | worker.student_loss(number - 1)
            if site in self._alone:
                metrics[site][ALONE_LOSS] = self._alone[site]
        if self._best.improves(number, metrics):
            self._chosen = Chosen(number, self._theta, self._own())
            self._when_chosen(self._chosen)
        return metrics

    def _own(self) -> dict[str, Tensors]:
        """Site → the model that it holds, where that is not θ: with local normalisation it goes on with its own."""
        held = {site: worker.tensors() for site, worker in self._workers.items()}
        return {site: own for site, own in held.items() if not same(own, self._theta)}

    def _weigh(self, metrics: Metrics) -> None:
        losses = {site: found["loss"] for site, found in metrics.items()}
        pairs = {site: len(worker.data.train) for site, worker in self._workers.items()}
        self._weights.step(losses, pairs, self._baseline.of_round(metrics))

    def _note(self, number: int, metrics: Metrics) -> Mapping[str, Any]:
        self._history.append({"round": number, "valid": metrics, "site_weights": dict(self._weights.current)})
        return self._history[-1]

    def _align(self, number: int) -> Tensors:
        """The ideal alignment, from θ, which the workers hold."""
        alignment = {name: tensor for name, tensor in self._theta.items() if is_alignment(name)}
        deltas = {}
        for site in self._workers:
            with self._working(site) as worker:
                deltas[site] = worker.align(round_number=number).delta
        return apply(alignment, weighted_sum(deltas, renormalise(self._weights.current, list(deltas))))

    def _pretrain(self, number: int, ideal: Tensors) -> None:
        """Moves θ by what the sites' training gives, from θ with the ideal alignment."""
        updates = {}
        for site in self._workers:
            with self._working(site) as worker:
                worker.load(ideal or self._theta)
                updates[site] = worker.pretrain(round_number=number)
        deltas = {site: update.delta for site, update in updates.items()}
        total = weighted_sum(deltas, renormalise(self._weights.current, list(deltas)))
        self._theta = self._optimizer.moved({**self._theta, **ideal}, total)


def same(one: Tensors, other: Tensors) -> bool:
    """Whether two models hold the same numbers."""
    return all(np.array_equal(tensor, other[name]) for name, tensor in one.items())


def run_rounds(
    workers: Workers,
    theta: Tensors,
    server: ServerSettings,
    *,
    alone: Mapping[str, float] = NOTHING,
    chosen: Callable[[Chosen], None] = lambda _: None,
    watch: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Outcome:
    """Trains from ``theta`` for as many rounds as ``server`` says; the arguments are those of :class:`Rounds`."""
    return Rounds(workers, theta, server, alone=alone, chosen=chosen).run(watch)
