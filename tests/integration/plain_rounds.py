"""The rounds of FedAID in plain Python: what the job on FLARE must equal, and a quick way to try settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from fedaid.data.site_data import load_site_data
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.naming import is_alignment
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Outcome:
    """Weights and site weights after the last round, and the sites' workers."""

    tensors: Tensors
    site_weights: dict[str, float]
    workers: dict[str, SiteWorker]


def make_workers(
    roots: Mapping[str, Path], model: Mapping[str, Any], settings: TrainingSettings, *, cache: Path
) -> dict[str, SiteWorker]:
    """A worker for each site, each with a model of its own."""
    workers = {}
    for site, root in roots.items():
        encoder = DualEncoder(**model)
        vocabulary = find_vocabulary(encoder.configuration["vocabulary"])
        tokenizer = load_tokenizer(vocabulary, max_tokens=encoder.configuration["max_tokens"])
        size = encoder.configuration["image_size"]
        data = load_site_data(root, cache=cache / site, image_size=size, tokenizer=tokenizer)
        workers[site] = SiteWorker(encoder, data, settings, site=site)
    return workers


def run_rounds(
    workers: Mapping[str, SiteWorker],
    theta: Tensors,
    minmax: MinMaxSettings,
    *,
    rounds: int,
    watch: Callable[[int, dict[str, float], dict[str, float]], None] = lambda *_: None,
) -> Outcome:
    """The algorithm box of the method, with nothing else around it."""
    weights = SiteWeights(minmax, list(workers))
    for number in range(rounds):
        losses, deltas = {}, {}
        for site, worker in workers.items():
            worker.load(theta)
            losses[site] = worker.validate("valid").loss
            deltas[site] = worker.align(round_number=number).delta
        weights.step(losses, {site: len(worker.data.train) for site, worker in workers.items()})
        watch(number, losses, weights.current)
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
        ideal = apply(alignment, weighted_sum(deltas, weights.current))
        for site, worker in workers.items():
            worker.load(ideal)
            deltas[site] = worker.pretrain(round_number=number).delta
        theta = apply({**theta, **ideal}, weighted_sum(deltas, weights.current))
    return Outcome(theta, weights.current, dict(workers))
