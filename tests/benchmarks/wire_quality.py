"""What a type on the wire does to the model: rounds in this process, with the real filters between server and sites."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from nvflare.apis.dxo import from_shareable

from admin.study.compare.sites import make_workers, read_sites
from fedaid.evaluation.retrieval import retrieval
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.benchmarks.simulated_run import write_sites
from tests.benchmarks.spread import difference
from tests.flare.wire_link import Arrays, Server, Site
from tests.integration.conftest import MODEL as TINY

PACKED = ("bf16", "int8")


def recall_at_5(
    dtype: str,
    roots: Mapping[str, Path],
    model: Mapping[str, Any],
    settings: TrainingSettings,
    *,
    rounds: int,
    at: Path,
) -> float:
    """Mean over sites and splits of the last model's recall at 5, in points (0 to 100).

    Args:
        dtype: on the wire.
        roots: site → its data.
        model: constructor arguments of the model.
        settings: of local training.
        rounds: of FedAID.
        at: an empty folder, for caches and the sites' files.
    """
    sites = read_sites(roots, DualEncoder(**model).configuration, cache=at / "cache")
    workers = make_workers({site: sites.data(site) for site in roots}, model, settings)
    server, links = Server(dtype), {site: Site(site, at / site) for site in roots}
    theta: Arrays = next(iter(workers.values())).tensors()
    weights = SiteWeights(MinMaxSettings(), list(workers))
    for number in range(rounds):
        losses: dict[str, float] = {}

        def align(site: str, worker: SiteWorker, found: dict[str, float] = losses, of: int = number) -> Arrays:
            found[site] = worker.validate("valid").loss
            return worker.align(round_number=of).delta

        def pretrain(site: str, worker: SiteWorker, of: int = number) -> Arrays:
            return worker.pretrain(round_number=of).delta

        deltas = exchange(server, links, workers, theta, align)
        weights.step(losses, {site: len(worker.data.train) for site, worker in workers.items()})
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
        ideal = apply(alignment, weighted_sum(deltas, weights.current))
        deltas = exchange(server, links, workers, ideal, pretrain)
        theta = apply({**theta, **ideal}, weighted_sum(deltas, weights.current))
    return 100 * mean(measured(worker, theta) for worker in workers.values())


def wire_quality(seeds: Sequence[int] = range(8), rounds: int = 8, studies: int = 480) -> dict[str, Any]:
    """Recall at 5 in points by type on the wire, and its difference from that of fp32 over the seeds, in pairs."""
    recalls: dict[str, list[float]] = {dtype: [] for dtype in ("fp32", *PACKED)}
    with tempfile.TemporaryDirectory() as folder:
        names = write_sites(Path(folder) / "data", 3, studies=studies)
        roots = {name: Path(folder) / "data" / name for name in names}
        for seed in seeds:
            settings = TrainingSettings(batch_size=16, align_steps=6, pretrain_steps=24, learning_rate=1e-3, seed=seed)
            for dtype, found in recalls.items():
                at = Path(folder) / f"{dtype}-{seed}"
                at.mkdir()
                found.append(recall_at_5(dtype, roots, TINY | {"seed": seed}, settings, rounds=rounds, at=at))
    differences = {dtype: difference(recalls[dtype], recalls["fp32"]) for dtype in PACKED}
    return {
        "difference": {dtype: found.mean for dtype, found in differences.items()},
        "intervals": {dtype: asdict(found) for dtype, found in differences.items()},
        "recall_at_5": recalls,
    }


def exchange(
    server: Server, links: Mapping[str, Site], workers: Mapping[str, SiteWorker], tensors: Arrays, work: Any
) -> dict[str, Arrays]:
    """One task: the tensors down to every site, its work, the update up; site → update as the server reads it."""
    task, updates = server.broadcast(tensors), {}
    for site, link in links.items():
        workers[site].load(link.receive(server.send(task, link)))
        updates[site] = from_shareable(server.take(link.answer(work(site, workers[site])), link)).data
    return updates


def measured(worker: SiteWorker, theta: Arrays) -> float:
    """Recall at 5 of a model at one site, over its splits by their size."""
    worker.load(theta)
    found = []
    for split, dataset in worker.splits.items():
        image, text = (embeddings.numpy() for embeddings in worker.validate(split).embeddings)
        found.append((len(image), retrieval(image, text, dataset.text_groups)["recall_at_5"]))
    return sum(size * recall for size, recall in found) / sum(size for size, _ in found)
