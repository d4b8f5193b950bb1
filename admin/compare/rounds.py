"""The rounds of every method in plain Python: the algorithm box of the method, with nothing else around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from fedaid.flare.executor import measured
from fedaid.flare.selection import BestModel, Selection
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.naming import is_alignment
from fedaid.training.site_worker import SiteWorker

Tensors = Mapping[str, NDArray[Any]]
Workers = Mapping[str, SiteWorker]
Metrics = dict[str, dict[str, float]]  # site → metric → value


@dataclass(frozen=True)
class Plan:
    """What the server of a method does.

    Attributes:
        rounds: how many.
        minmax: of the site weights.
        alignment_phase: whether a round starts with the alignment phase.
        selection: metric of the best model, see :class:`Selection`.
    """

    rounds: int
    minmax: MinMaxSettings = field(default_factory=MinMaxSettings)
    alignment_phase: bool = True
    selection: str = "worst_loss"


@dataclass(frozen=True)
class Outcome:
    """A run's end.

    Attributes:
        tensors: of the last model.
        site_weights: after the last round.
        best: tensors of the selected model.
        best_round: how many rounds it was trained for.
        history: a round an entry: the validation metrics of each site, and the site weights that followed from them;
            the last entry is the last model's.
    """

    tensors: Tensors
    site_weights: Mapping[str, float]
    best: Tensors
    best_round: int
    history: tuple[Mapping[str, Any], ...]


def run_rounds(
    workers: Workers, theta: Tensors, plan: Plan, *, watch: Callable[[Mapping[str, Any]], None] = lambda _: None
) -> Outcome:
    """Trains from ``theta`` for the rounds of the plan.

    Args:
        workers: site → its worker.
        theta: tensors of the first model.
        plan: of the server; what the sites do is in the workers' settings.
        watch: called with each entry of the history.
    """
    weights, best = SiteWeights(plan.minmax, list(workers)), BestModel(Selection(plan.selection))
    history: list[Mapping[str, Any]] = []
    chosen = theta
    pairs = {site: len(worker.data.train) for site, worker in workers.items()}
    for number in range(plan.rounds + 1):
        metrics = validated(workers, theta)
        chosen = theta if best.improves(number, metrics) else chosen
        if number < plan.rounds:
            weights.step({site: found["loss"] for site, found in metrics.items()}, pairs)
        history.append({"round": number, "valid": metrics, "site_weights": dict(weights.current)})
        watch(history[-1])
        if number < plan.rounds:
            theta = a_round(workers, theta, weights.current, number=number, alignment_phase=plan.alignment_phase)
    return Outcome(theta, weights.current, chosen, best.round_number, tuple(history))


def validated(workers: Workers, theta: Tensors) -> Metrics:
    """Step 1 of a round, its first half: every site measures θ on its validation split."""
    metrics = {}
    for site, worker in workers.items():
        worker.load(theta)
        metrics[site] = measured(worker, worker.validate("valid"), "valid")
    return metrics


def a_round(
    workers: Workers, theta: Tensors, weights: Mapping[str, float], *, number: int, alignment_phase: bool
) -> Tensors:
    """The model after a round from ``theta``, which the workers hold."""
    moved: Tensors = {}
    if alignment_phase:
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
        deltas = {site: worker.align(round_number=number).delta for site, worker in workers.items()}
        moved = apply(alignment, weighted_sum(deltas, weights))
    deltas = {}
    for site, worker in workers.items():
        worker.load(moved or theta)
        deltas[site] = worker.pretrain(round_number=number).delta
    return apply({**theta, **moved}, weighted_sum(deltas, weights))
