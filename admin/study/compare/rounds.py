"""The rounds of every method in plain Python: only the method's algorithm box."""

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
from admin.study.compare.false_losses import inflate
from fedaid.evaluation.retrieval import split_metrics
from fedaid.minmax.loss_baseline import ALONE_LOSS, LossBaseline
from fedaid.minmax.norm_clipping import ClipSettings, clipped
from fedaid.minmax.selection import BestModel, Selection
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.update_bounds import norm_of
from fedaid.minmax.weighted_average import apply, renormalise, weighted_sum
from fedaid.models.tensor_names import is_alignment, is_learned, is_statistic
from fedaid.training.site_worker import SiteWorker

Tensors = Mapping[str, NDArray[Any]]
Workers = Mapping[str, SiteWorker]
Metrics = dict[str, dict[str, float]]  # site → metric → value
NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class ServerSettings:
    """The server's settings of a method.

    Attributes:
        rounds: number of rounds.
        minmax: settings of the site weights.
        optimizer: settings of the server optimizer.
        alignment_phase: whether a round starts with the alignment phase.
        selection: rule that selects the best model.
        clip: how long an update may be in a sum.
    """

    rounds: int
    minmax: MinMaxSettings = field(default_factory=MinMaxSettings)
    optimizer: ServerOptimizerSettings = field(default_factory=ServerOptimizerSettings)
    alignment_phase: bool = True
    selection: Selection = field(default_factory=Selection)
    clip: ClipSettings = field(default_factory=ClipSettings)

    @classmethod
    def of(cls, settings: LoopSettings) -> ServerSettings:
        """Return the server's settings of a method; a missing setting takes the default of the job's code."""
        rest = settings.rest
        chosen = {"name": rest.get("selection_metric"), "share": rest.get("selection_share")}
        selection = Selection(**{name: value for name, value in chosen.items() if value is not None})
        phase = rest.get("alignment_phase", True)
        clip = ClipSettings(rest.get("clip_update_norm"))
        return cls(rest["num_rounds"], settings.minmax, settings.optimizer, phase, selection, clip)


@dataclass(frozen=True)
class Chosen:
    """A model that was the best of a run so far.

    Attributes:
        round_number: number of rounds that the model was trained for.
        tensors: the model's tensors.
        at: site → the model's tensors at this site, for sites that do not share all tensors.
    """

    round_number: int
    tensors: Tensors
    at: Mapping[str, Tensors]


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Attributes:
        tensors: tensors of the last model.
        site_weights: site weights after the last round.
        best: tensors of the selected model.
        best_at: site → tensors of the selected model at this site, for sites that do not share all tensors.
        best_round: number of rounds that the selected model was trained for.
        seconds: processor seconds of each round's slowest site, summed, because the sites of a federation work in
            parallel. With one thread this is the run's time on idle machines.
        history: one entry per round: each site's validation metrics and the site weights computed from them. The
            last entry measures the last model.
    """

    tensors: Tensors
    site_weights: Mapping[str, float]
    best: Tensors
    best_at: Mapping[str, Tensors]
    best_round: int
    seconds: float
    history: tuple[Mapping[str, Any], ...]


class Rounds:
    """A run in progress.

    Args:
        workers: site → its worker; the workers have the settings of the sites' training.
        theta: tensors of the initial model.
        server: settings of the server.
        alone: site → validation loss in nats of the model that it trained alone; needed by the baseline ``alone``.
        inflated: site → factor of the losses that it reports; see :func:`inflate`.
        chosen: called with each model that is the best so far.
    """

    def __init__(
        self,
        workers: Workers,
        theta: Tensors,
        server: ServerSettings,
        *,
        alone: Mapping[str, float] = NOTHING,
        inflated: Mapping[str, float] = NOTHING,
        chosen: Callable[[Chosen], None] = lambda _: None,
    ) -> None:
        self._workers, self._theta, self._server = workers, theta, server
        self._alone, self._inflated = alone, inflated
        self._when_chosen, self._busy, self._seconds = chosen, dict.fromkeys(workers, 0.0), 0.0
        self._weights, self._baseline = (
            SiteWeights(server.minmax, list(workers)),
            LossBaseline(server.minmax.loss_baseline),
        )
        self._optimizer = ServerOptimizer(server.optimizer, is_statistic=is_statistic)
        self._best, self._chosen = BestModel(server.selection), Chosen(0, theta, {})
        self._history: list[Mapping[str, Any]] = []

    def run(self, watch: Callable[[Mapping[str, Any]], None] = lambda _: None) -> Outcome:
        """Run all rounds; ``watch`` is called with each entry of the history."""
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
        """Yield the site's worker and measure its processor time."""
        begun = process_time()
        yield self._workers[site]
        self._busy[site] += process_time() - begun

    def _end_of_round(self) -> None:
        """Add the time of the round's slowest site."""
        self._seconds += max(self._busy.values())
        self._busy = dict.fromkeys(self._workers, 0.0)

    def _measure(self, number: int) -> Metrics:
        """Return each site's validation metrics of θ; store θ if it is the best model so far."""
        metrics = {}
        for site in self._workers:
            with self._working(site) as worker:
                worker.load(self._theta)
                metrics[site] = split_metrics(worker.validate("valid")) | worker.student_loss(number - 1)
            if site in self._alone:
                metrics[site][ALONE_LOSS] = self._alone[site]
            if site in self._inflated:
                metrics[site] = inflate(metrics[site], self._inflated[site], pairs=len(worker.data.train))
        if self._best.improves(number, metrics):
            self._chosen = Chosen(number, self._theta, self._site_models())
            self._when_chosen(self._chosen)
        return metrics

    def _site_models(self) -> dict[str, Tensors]:
        """Return site → its model, for sites whose model differs from θ, as with normalisation layers per site."""
        models = {site: worker.tensors() for site, worker in self._workers.items()}
        theta = self._theta
        return {s: m for s, m in models.items() if not all(np.array_equal(t, theta[name]) for name, t in m.items())}

    def _weigh(self, metrics: Metrics) -> None:
        losses = {site: found["loss"] for site, found in metrics.items()}
        pairs = {site: len(worker.data.train) for site, worker in self._workers.items()}
        self._weights.step(losses, pairs, self._baseline.of_round(metrics))

    def _note(self, number: int, metrics: Metrics) -> Mapping[str, Any]:
        self._history.append({"round": number, "valid": metrics, "site_weights": dict(self._weights.current)})
        return self._history[-1]

    def _align(self, number: int) -> Tensors:
        """Return the ideal alignment; the workers start from θ, which they have loaded."""
        alignment = {name: tensor for name, tensor in self._theta.items() if is_alignment(name)}
        deltas = {}
        for site in self._workers:
            with self._working(site) as worker:
                deltas[site] = worker.align(round_number=number).delta
        return apply(alignment, self._sum(deltas))

    def _pretrain(self, number: int, ideal: Tensors) -> None:
        """Train every site from θ with the ideal alignment, and move θ by the weighted sum of the updates."""
        updates = {}
        for site in self._workers:
            with self._working(site) as worker:
                worker.load(ideal or self._theta)
                updates[site] = worker.pretrain(round_number=number)
        total = self._sum({site: update.delta for site, update in updates.items()})
        self._theta = self._optimizer.moved({**self._theta, **ideal}, total)

    def _sum(self, deltas: Mapping[str, Tensors]) -> dict[str, NDArray[np.float64]]:
        """Return the sum of the updates with the site weights; the learned tensors of long updates are clipped."""
        weights = renormalise(self._weights.current, list(deltas))
        total = weighted_sum(deltas, weights)
        if self._server.clip.clip_update_norm is not None:
            learned = {site: learned_of(delta) for site, delta in deltas.items()}
            factors = self._server.clip.factors({site: norm_of(part) for site, part in learned.items()})
            total |= weighted_sum(learned, clipped(weights, factors))
        return total


def learned_of(delta: Tensors) -> Tensors:
    """Return the learned tensors of an update, in the order of names."""
    return {name: tensor for name, tensor in sorted(delta.items()) if is_learned(name, tensor)}


def run_rounds(
    workers: Workers,
    theta: Tensors,
    server: ServerSettings,
    *,
    alone: Mapping[str, float] = NOTHING,
    inflated: Mapping[str, float] = NOTHING,
    chosen: Callable[[Chosen], None] = lambda _: None,
    watch: Callable[[Mapping[str, Any]], None] = lambda _: None,
) -> Outcome:
    """Train from ``theta`` for ``server.rounds`` rounds; the arguments are those of :class:`Rounds`."""
    return Rounds(workers, theta, server, alone=alone, inflated=inflated, chosen=chosen).run(watch)
