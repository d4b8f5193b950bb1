"""Updates of sites that really train, on widely different data and with widely different settings: none is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from admin.study.compare.sites import Sites, make_workers, read_sites
from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.consortium import write_consortium
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.server.gate import Gate
from fedaid.flare.wire.messages import update_from_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, UpdateMessage
from fedaid.minmax.update_bounds import FORMER_ROUNDS, BoundSettings, NormBounds
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.settings import TrainingSettings
from tests.chaos.outcome import Outcome
from tests.conftest import IMAGE_SIZE, tiny_model_options

SIZES = (36, 48, 72, 144, 288)  # studies of the five hospitals, which differ in machines, findings and language too
WANTED, ROUNDS = 1000, 3


def good_updates(folder: Path, *, wanted: int = WANTED, sizes: tuple[int, ...] = SIZES) -> Outcome:
    """Federations of three to five sites, each with its own settings, until enough updates have been judged."""
    sites, rng = hospitals(folder, sizes), np.random.default_rng(0)
    judged, failures, seed = 0, list[str](), 0
    while judged < wanted:
        names = rng.permutation(sorted(sites.images))[: rng.integers(3, len(sizes) + 1)].tolist()
        settings = drawn_settings(rng, seed=seed)
        for gate in gates_of_run(sites, names, settings):
            judged += len(names)
            failures += [f"{settings}: {reason}" for reason in gate.refused.values()]
        seed += 1
    return Outcome(
        place="in-process",
        injected=judged,
        survived=judged - len(failures),
        false_refusals=len(failures),
        failures=tuple(failures),
    )


def hospitals(folder: Path, sizes: tuple[int, ...]) -> Sites:
    """Hospitals of these sizes, with decoded images."""
    made = [replace(one, studies=size) for one, size in zip(reversed(FIVE_HOSPITALS), sizes, strict=False)]
    write_consortium(folder / "data", hospitals=made, seed=0, image_size=IMAGE_SIZE)
    roots = {one.name: folder / "data" / one.name for one in made}
    return read_sites(roots, DualEncoder(**tiny_model_options()).configuration, cache=folder / "cache")


def drawn_settings(rng: np.random.Generator, *, seed: int) -> TrainingSettings:
    """The settings of one federation: a learning rate from far too small to too large, with and without a warm-up."""
    return TrainingSettings(
        seed=seed,
        batch_size=int(rng.choice([4, 8, 16])),
        valid_batch_size=4,
        align_steps=int(rng.integers(1, 5)),
        pretrain_steps=int(rng.integers(1, 7)),
        learning_rate=float(10.0 ** rng.uniform(-6, -1.5)),
        weight_decay=float(rng.choice([0.0, 0.05])),
        warmup_steps=int(rng.integers(0, 5)),
        binding_weight=float(rng.choice([0.0, 1.0])),
        local_normalisation=bool(rng.random() < 0.25),
        report_student_loss=True,
    )


def gates_of_run(sites: Sites, names: list[str], settings: TrainingSettings) -> Iterator[Gate]:
    """The closed gates of a run's phases, with the bounds of a job's defaults."""
    model = tiny_model_options() | {"seed": settings.seed}
    workers = make_workers({name: sites.data(name) for name in names}, model, settings)
    theta, former = next(iter(workers.values())).tensors(), dict[str, list[Mapping[str, float]]]()
    for number in range(ROUNDS):
        for phase in (ALIGN, PRETRAIN):
            base = {name: t for name, t in theta.items() if phase == PRETRAIN or is_alignment(name)}
            known = tuple(norm for one in former.setdefault(phase, [])[-FORMER_ROUNDS:] for norm in one.values())
            bounds = NormBounds(BoundSettings().ratio, known)
            gate = Gate(phase=phase, round_number=number, template=base, sites=names, bounds=bounds)
            updates = {name: update_of(workers[name], phase, number, theta) for name in names}
            for name in names:
                gate.take(name, update_to_shareable(updates[name]), unpack=update_from_shareable)
            gate.close()
            former[phase].append(gate.norms)
            deltas = {name: update.delta for name, update in updates.items()}
            theta = {**theta, **apply(base, weighted_sum(deltas, dict.fromkeys(names, 1 / len(names))))}
            yield gate


def update_of(worker: Any, phase: str, number: int, theta: Mapping[str, Any]) -> UpdateMessage:
    """What the site sends in this phase."""
    if phase == ALIGN:
        worker.load(theta)
        measured = split_metrics(worker.validate("valid")) | worker.student_loss(number - 1)
        update = worker.align(round_number=number)
        return UpdateMessage(number, update.delta, measured, len(worker.data.train), {})
    worker.load({name: tensor for name, tensor in theta.items() if is_alignment(name)})
    update = worker.pretrain(round_number=number)
    return UpdateMessage(number, update.delta, update.metrics, len(worker.data.train), {})
