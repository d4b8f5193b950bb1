from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.signal import Signal

from admin.study.compare.rounds import ServerSettings, Tensors, run_rounds
from fedaid.data.site_data import SiteData
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.round_normalisation import normalisation_after, remember_normalisation
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.wire.messages import metrics_from_shareable, model_to_shareable, update_from_shareable
from fedaid.flare.wire.tasks import TRAIN, VALIDATE, ModelMessage
from fedaid.minmax.selection import BestModel
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import batch_norm_names
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.flare.conftest import Engine

ROUNDS, BEST = 3, 1


class Site:
    """One site's executor with its own kit."""

    def __init__(self, name: str, kit: Path, model: DualEncoder, settings: TrainingSettings) -> None:
        self.model, self.settings = model, settings
        (kit / "run" / "job").mkdir(parents=True)
        folder = lambda *_: str(kit)  # noqa: E731
        workspace = SimpleNamespace(
            get_root_dir=folder, get_site_config_dir=folder, get_run_dir=lambda job: str(kit / "run" / job)
        )
        self.context: FLContext = FLContextManager(
            engine=Engine([], {}, workspace), identity_name=name, job_id="job"
        ).new_context()
        self.restart()

    def restart(self) -> None:
        self.executor = FedAIDExecutor(**asdict(self.settings))

    def swap(self) -> None:
        """A process of its own for the next task, as FLARE's simulator does it."""
        self.restart()
        self.executor.handle_event(EventType.SWAP_IN, self.context)

    def ask(self, task: str, theta: Tensors, round_number: int) -> Any:
        message = ModelMessage(round_number, dict(theta), self.model.configuration, self.model.vocabulary_hash)
        return self.executor.execute(task, model_to_shareable(message, num_rounds=ROUNDS), self.context, Signal())


@pytest.fixture
def sites(
    consortium: dict[str, Path], tmp_path: Path, model: DualEncoder, settings: TrainingSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Site]:  # fmt: skip
    monkeypatch.setenv("FEDAID_DATA", str(next(iter(consortium.values())).parent / "{site}"))
    own = replace(settings, local_normalisation=True, align_steps=0)
    return {site: Site(site, tmp_path / site, model, own) for site in consortium}


def trained(sites: dict[str, Site], theta: Tensors, *, swap: bool = False) -> list[Tensors]:
    """The server's models after 0, 1, … rounds of plain averaging."""
    thetas = [theta]
    for number in range(ROUNDS):
        deltas = {}
        for name, site in sites.items():
            if swap:
                site.swap()
            deltas[name] = update_from_shareable(site.ask(TRAIN, thetas[-1], number)).delta
        thetas.append(apply(thetas[-1], weighted_sum(deltas, dict.fromkeys(sites, 1 / len(sites)))))
    return thetas


@pytest.mark.parametrize("swap", [False, True], ids=["one process", "a process a task"])
def test_the_best_round_is_measured_at_the_end_with_the_normalisation_that_the_site_had_then(
    swap: bool,
    sites: dict[str, Site],
    theta: Tensors,
    model_options: dict[str, Any],
    load_site: Callable[[str], SiteData],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BestModel, "improves", lambda self, number, metrics: number <= BEST)
    workers = {
        name: SiteWorker(DualEncoder(**model_options), load_site(name), site.settings, site=name)
        for name, site in sites.items()
    }
    uniform = ServerSettings(ROUNDS, MinMaxSettings(dual_step_size=0), alignment_phase=False)
    plain = run_rounds(workers, theta, uniform)
    thetas = trained(sites, theta, swap=swap)
    for name, tensor in plain.tensors.items():
        np.testing.assert_array_equal(thetas[-1][name], tensor, err_msg=name)

    plainly = replace(next(iter(sites.values())).settings, local_normalisation=False)
    for name, site in sites.items():
        for number, tensors in ((ROUNDS, workers[name].tensors()), (BEST, plain.best_at[name])):
            if swap:
                site.swap()
            worker = SiteWorker(DualEncoder(**model_options), load_site(name), plainly, site=name)
            worker.load(tensors)
            reply = metrics_from_shareable(site.ask(VALIDATE, thetas[number], number))
            expected = {split: split_metrics(worker.validate(split)) for split in ("valid", "test")}
            assert reply.splits == expected, (name, number)


def worker_with(model: DualEncoder, tensors: dict[str, Any]) -> Any:
    """A worker with these site tensors."""
    facts = SimpleNamespace(batch_norm=batch_norm_names(model))
    return SimpleNamespace(facts=facts, site_tensors=tensors)


def test_a_site_that_missed_rounds_has_what_it_had_by_then_and_goes_on_with_its_newest(
    model: DualEncoder, site_context: FLContext
) -> None:
    name, memory = min(batch_norm_names(model)), TaskMemory()
    worker = worker_with(model, {})
    for number in (1, 4):
        worker.site_tensors = {name: np.full(2, number), "whole.model.of.moon": np.zeros(2)}
        remember_normalisation(memory, worker, rounds=number, fl_ctx=site_context)
    for number, expected in ((0, None), (1, 1), (3, 1), (4, 4), (9, 4)):
        with normalisation_after(memory, worker, rounds=number, fl_ctx=site_context):
            found = {label: tensor[0] for label, tensor in worker.site_tensors.items()}
        assert found == ({} if expected is None else {name: expected})
        assert set(worker.site_tensors) == {name, "whole.model.of.moon"}


def test_where_nothing_was_kept_the_worker_stays_as_it_is(model: DualEncoder, site_context: FLContext) -> None:
    worker = worker_with(model, {"a": np.zeros(1)})
    with normalisation_after(TaskMemory(), worker, rounds=2, fl_ctx=site_context):
        assert set(worker.site_tensors) == {"a"}
