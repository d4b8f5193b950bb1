from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.app_common.app_event_type import AppEventType

from admin.results.run_results import read_results
from fedaid.errors import InputError
from fedaid.flare.server.local_controller import LocalController, best_rounds
from fedaid.flare.wire.messages import metrics_to_shareable, model_from_shareable, report_to_shareable
from fedaid.flare.wire.tasks import KEEP_ALONE, TRAIN_ALONE, VALIDATE, MetricsMessage, UpdateMessage
from fedaid.models.saved_model import load_model
from tests.flare.conftest import MEASURED, Answer, Federation

ROUNDS = 3
# Validation losses of a site before each round and after the last. Its accuracy in a batch is best where the loss is
# least, but for north, whose accuracy is best after one round and whose loss after two.
LOSSES = {"lake": (4.0, 3.0, 2.0, 1.0), "north": (4.0, 2.5, 2.0, 3.0)}
ACCURACIES = {LOSSES["lake"]: (0.1, 0.2, 0.3, 0.4), LOSSES["north"]: (0.1, 0.3, 0.25, 0.2)}


class LocalFederation(Federation):
    kind = LocalController


def alone(losses: tuple[float, ...]) -> Answer:
    """A site that trains alone with these validation losses, and the accuracies that go with them."""
    accuracies = ACCURACIES[losses]
    best = int(np.argmax(accuracies))

    def answer(task: str, shareable: Shareable) -> Shareable:
        number = model_from_shareable(shareable).round_number
        if task == TRAIN_ALONE:
            metrics = MEASURED | {"loss": losses[number], "batch_accuracy": accuracies[number]}
            metrics |= {"contrastive": losses[number], "binding": 0.0}
            return report_to_shareable(UpdateMessage(number, {}, metrics, 20, {"image-unreadable": 1}))
        of = -1 if task == VALIDATE else best
        measured = MEASURED | {"loss": losses[of], "batch_accuracy": accuracies[of], "studies": 9.0}
        splits = {name: measured for name in ("valid", "test")}
        return metrics_to_shareable(MetricsMessage(number, splits))

    return answer


@pytest.fixture
def make(tmp_path: Path, model_config: dict[str, Any]) -> Callable[..., LocalFederation]:
    def federation(answers: Mapping[str, Answer] | None = None, **settings: Any) -> LocalFederation:
        given = answers or {site: alone(losses) for site, losses in LOSSES.items()}
        folder = tmp_path / "app_server"
        folder.mkdir()
        return LocalFederation(folder, dict(model_config), given, **{"num_rounds": ROUNDS} | settings)

    return federation


def results(made: Federation) -> Any:
    return json.loads((made.store / "results.json").read_text())


@pytest.mark.parametrize(("name", "value"), [("min_clients", 0), ("num_rounds", True), ("task_timeout", None)])
def test_a_bad_argument_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^{name} must be .*config_fed_server\.json"):
        LocalController(**{"min_clients": 1, "num_rounds": 1} | {name: value})


def test_a_quorum_that_the_sites_cannot_reach_stops_the_run_before_anything_is_sent(make: Any) -> None:
    made = make(min_clients=3)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("min_clients must be at most the 2 sites of the run, got 3")
    assert made.communicator.asked == []


def test_every_round_is_a_task_and_then_the_last_and_the_best_model_are_measured(make: Any) -> None:
    made = make()
    made.run()
    assert made.engine.panics == []
    tasks = [task for task, _ in itertools.groupby(made.communicator.asked, key=lambda asked: asked[0])]
    assert tasks == [TRAIN_ALONE, VALIDATE, KEEP_ALONE]
    assert len(made.communicator.asked) == len(LOSSES) * (ROUNDS + 2)
    assert made.engine.events.count(AppEventType.ROUND_DONE) == ROUNDS


def test_only_the_first_task_carries_a_model(make: Any) -> None:
    sent: list[int] = []

    def watched(task: str, shareable: Shareable) -> Shareable:
        sent.append(len(model_from_shareable(shareable).tensors))
        return alone(LOSSES["lake"])(task, shareable)

    make({"lake": watched, "north": alone(LOSSES["north"])}).run()
    assert sent[0] > 0
    assert sent[1:] == [0] * (ROUNDS + 1)


def test_the_results_read_like_those_of_any_run(make: Any, theta: dict[str, Any]) -> None:
    made = make()
    made.run()
    found = read_results(made.store.parent.parent)
    assert [(site.name, site.loss, site.pairs) for site in found.sites] == [("lake", 1.0, 20), ("north", 2.5, 20)]
    assert [entry["valid"]["north"]["loss"] for entry in found.history] == [4.0, 2.5, 2.0]
    assert results(made)["best_rounds"] == {"lake": 3, "north": 1}, "by accuracy in a batch, not by loss"
    assert results(made)["selection_metric"] == "batch_accuracy"
    assert results(made)["last"]["north"]["valid"]["loss"] == 3.0
    start = load_model(found.model).state_dict()
    assert all(np.array_equal(start[name].numpy(), tensor) for name, tensor in theta.items())


def test_the_progress_shows_round_and_losses(make: Any) -> None:
    made = make()
    made.run()
    shown = made.controller.progress.as_dict()
    assert (shown["current_round"], shown["num_rounds"], shown["phase"]) == (ROUNDS, ROUNDS, "finished")
    assert shown["site_losses"] == {"lake": 2.0, "north": 2.0}


def test_a_tensor_in_an_answer_is_refused(make: Any) -> None:
    def leaking(task: str, shareable: Shareable) -> Shareable:
        reply = alone(LOSSES["lake"])(task, shareable)
        if task == TRAIN_ALONE:
            reply["DXO"]["data"]["matrix"] = np.ones((2, 2), np.float32)
        return reply

    made = make({"lake": leaking, "north": alone(LOSSES["north"])}, min_clients=1)
    made.run()
    assert made.engine.panics == []
    assert "report must hold metrics only" in results(made)["history"][0]["refused"]["lake"]
    assert list(results(made)["best"]) == ["north"]


def test_a_site_that_cannot_go_on_is_not_asked_again(make: Any) -> None:
    def failing(task: str, shareable: Shareable) -> Shareable:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION)

    made = make({"lake": failing, "north": alone(LOSSES["north"])}, min_clients=1)
    made.run()
    assert [site for _, site in made.communicator.asked].count("lake") == 1


def test_too_few_sites_stop_the_run_in_one_line(make: Any) -> None:
    def failing(task: str, shareable: Shareable) -> Shareable:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION)

    made = make({"lake": failing, "north": alone(LOSSES["north"])})
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("train_alone must have the answers of 2 sites (min_clients), got 1: round 0.")
    assert not (made.store / "results.json").exists()


def test_what_a_run_found_is_kept_where_its_last_task_fails(make: Any) -> None:
    def forgetful(task: str, shareable: Shareable) -> Shareable:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION) if task == KEEP_ALONE else north(task, shareable)

    north = alone(LOSSES["north"])
    made = make({"lake": alone(LOSSES["lake"]), "north": forgetful})
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("keep_alone must have the answers of 2 sites")
    found = results(made)
    assert found["incomplete"] == panic
    assert (len(found["history"]), sorted(found["last"]), found["best"], found["best_rounds"]) == (
        ROUNDS,
        ["lake", "north"],
        {},
        {},
    )


def test_of_equal_accuracies_the_first_round_is_the_best() -> None:
    history = [{"round": n, "valid": {"lake": {"batch_accuracy": value}}} for n, value in enumerate((0.2, 0.4))]
    assert best_rounds(history, {"lake": {"valid": {"batch_accuracy": 0.4}}}) == {"lake": 1}
