from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.dxo import from_shareable
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from safetensors.numpy import load_file

from fedaid.errors import InputError
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.local_training import LocalTrainingExecutor
from fedaid.flare.software import software_report
from fedaid.flare.wire.messages import (
    metrics_from_shareable,
    model_to_shareable,
    report_from_shareable,
    update_from_shareable,
)
from fedaid.flare.wire.replies import ERROR_HEADER
from fedaid.flare.wire.tasks import ALIGN, KEEP_ALONE, TRAIN, TRAIN_ALONE, VALIDATE, ModelMessage
from fedaid.minmax.selection import SITE_METRIC
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings

Arrays = dict[str, NDArray[Any]]


class Site:
    """One site's executor, and what the server says to it."""

    def __init__(self, context: FLContext, settings: TrainingSettings, model: DualEncoder, theta: Arrays) -> None:
        self.context, self.settings, self.model, self.theta = context, settings, model, theta
        self.restart()

    def restart(self) -> None:
        """A new process: all state is lost but for files."""
        self.executor = LocalTrainingExecutor(**asdict(self.settings))

    def ask(self, task: str, round_number: int, *, executor: FedAIDExecutor | None = None) -> Shareable:
        tensors = self.theta if round_number == 0 else {}
        message = ModelMessage(round_number, tensors, self.model.configuration, self.model.vocabulary_hash)
        shareable = model_to_shareable(message, num_rounds=2)
        return (executor or self.executor).execute(task, shareable, self.context, Signal())

    @property
    def kit(self) -> Path:
        return Path(self.context.get_engine().get_workspace().get_root_dir())

    @property
    def store(self) -> Path:
        return self.kit / "run" / "job" / "fedaid_alone"

    @property
    def last(self) -> Arrays:
        return load_file(sorted(self.store.glob("round-*"))[-1] / "model.safetensors")


@pytest.fixture
def site(site_context: FLContext, settings: TrainingSettings, model: DualEncoder, theta: Arrays) -> Site:
    return Site(site_context, settings, model, theta)


@pytest.fixture
def accuracies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that says what the accuracy in a batch will be, call by call; the losses rise as they go."""

    def say(*values: float) -> None:
        left = iter([{"loss": 1.0 + call, SITE_METRIC: value} for call, value in enumerate(values)])
        monkeypatch.setattr("fedaid.flare.site.work.own_work.split_metrics", lambda validation: next(left))

    return say


@pytest.mark.parametrize(("name", "value"), [("local_normalisation", True), ("moon_weight", 1.0)])
def test_what_needs_a_federation_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^{name} must be .* in local training"):
        LocalTrainingExecutor(**{name: value})


def test_an_answer_holds_metrics_and_no_tensor(site: Site) -> None:
    reply = site.ask(TRAIN_ALONE, 0)
    assert list(from_shareable(reply).data) == ["metrics"]
    update = report_from_shareable(reply)
    assert all(type(value) is float for value in update.metrics.values())
    assert update.pairs > 10
    assert {"loss", "recall_at_5", "batch_accuracy", "contrastive"} <= update.metrics.keys()


def test_a_site_alone_gets_the_bits_of_a_federation_of_one_site(site: Site) -> None:
    for number in range(2):
        site.ask(TRAIN_ALONE, number)
    federated, theta = FedAIDExecutor(**asdict(site.settings)), dict(site.theta)
    for number in range(2):
        message = ModelMessage(number, theta, site.model.configuration, site.model.vocabulary_hash)
        reply = federated.execute(TRAIN, model_to_shareable(message, num_rounds=2), site.context, Signal())
        delta = update_from_shareable(reply).delta
        theta = dict(apply(theta, weighted_sum({"one": delta}, {"one": 1.0})))
    assert theta.keys() == site.last.keys()
    for name, tensor in site.last.items():
        np.testing.assert_array_equal(tensor, theta[name], err_msg=name)
    assert any(not np.array_equal(tensor, site.theta[name]) for name, tensor in site.last.items())


def test_a_new_process_for_every_task_changes_nothing(site: Site) -> None:
    for number in range(2):
        site.ask(TRAIN_ALONE, number)
    kept = site.last
    for number in range(2):
        site.restart()
        assert site.ask(TRAIN_ALONE, number).get_return_code() == ReturnCode.OK
    assert [path.name for path in sorted(site.store.iterdir())] == ["round-00001", "round-00002"], "of the second run"
    assert all(np.array_equal(tensor, kept[name]) for name, tensor in site.last.items())


def test_a_round_that_does_not_follow_is_refused(site: Site) -> None:
    site.ask(TRAIN_ALONE, 0)
    reply = site.ask(TRAIN_ALONE, 2)
    assert reply.get_return_code() == ReturnCode.BAD_TASK_DATA
    assert reply.get_header(ERROR_HEADER) == ("round 2 must follow the one before, got a site that has done 1 rounds")


def test_the_site_keeps_the_model_with_the_highest_accuracy_in_a_batch_and_its_loss(
    site: Site, accuracies: Any
) -> None:
    accuracies(0.1, 0.5, 0.3, 0.3, 0.5, 0.5)
    site.ask(TRAIN_ALONE, 0)
    after_one = site.last
    site.ask(TRAIN_ALONE, 1)
    site.ask(VALIDATE, 2)
    assert not (site.kit / "fedaid_local_model").exists(), "an unfinished run must leave the former model"
    site.ask(KEEP_ALONE, 2)
    folder = site.kit / "fedaid_local_model"
    state = json.loads((folder / "state.json").read_text())
    assert (state["round"], state["valid_loss"], state["job_id"]) == (1, 2.0, "job")
    kept = load_file(folder / "model.safetensors")
    assert all(np.array_equal(tensor, after_one[name]) for name, tensor in kept.items())
    assert not site.store.exists(), "copies in the folder of a run would stay there for good"


def test_the_last_model_takes_part(site: Site, accuracies: Any) -> None:
    accuracies(0.1, 0.5, 0.5, 0.5, 0.5)
    site.ask(TRAIN_ALONE, 0)
    site.ask(VALIDATE, 1)
    site.ask(KEEP_ALONE, 1)
    assert json.loads((site.kit / "fedaid_local_model" / "state.json").read_text())["round"] == 1


def test_a_second_run_starts_anew(site: Site, accuracies: Any) -> None:
    accuracies(0.9, 0.9, 0.9, 0.9, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2)
    for _ in range(2):
        site.ask(TRAIN_ALONE, 0)
        site.ask(VALIDATE, 1)
    site.ask(KEEP_ALONE, 1)
    assert json.loads((site.kit / "fedaid_local_model" / "state.json").read_text())["valid_loss"] == 6.0


def test_the_federation_hears_what_the_site_reached_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(9))  # so that the last model is the best one
    monkeypatch.setattr(
        "fedaid.flare.site.work.own_work.split_metrics",
        lambda validation: split_metrics(validation) | {SITE_METRIC: float(next(numbers))},
    )
    site.ask(TRAIN_ALONE, 0)
    site.ask(VALIDATE, 1)
    kept = metrics_from_shareable(site.ask(KEEP_ALONE, 1))
    update = update_from_shareable(site.ask(ALIGN, 0, executor=FedAIDExecutor(**asdict(site.settings))))
    assert update.metrics["alone_loss"] == pytest.approx(kept.splits["valid"]["loss"], abs=1e-6)
    assert update.metrics["alone_loss"] != update.metrics["loss"]


def test_without_a_model_of_its_own_the_site_reports_no_loss_alone(site: Site) -> None:
    update = update_from_shareable(site.ask(ALIGN, 0, executor=FedAIDExecutor(**asdict(site.settings))))
    assert "alone_loss" not in update.metrics


def test_an_old_library_is_named_in_one_line(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software_report, "installed", lambda name: "4.57.1")
    line = site.ask(TRAIN_ALONE, 0).get_header(ERROR_HEADER)
    assert line.startswith("transformers must be version 5 or newer, got 4.57.1: site ")
