from __future__ import annotations

import inspect
import itertools
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.app_common.app_event_type import AppEventType
from safetensors.numpy import load

from fedaid.errors import InputError
from fedaid.flare.server.controller import FedAIDController
from fedaid.flare.server.persistor import tensors_of
from fedaid.flare.wire.messages import model_from_shareable, update_from_shareable
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE
from fedaid.flare.wire.uplink import UpdateDecoder
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights
from fedaid.minmax.weighted_average import apply, weighted_sum
from fedaid.models.saved_model import load_model
from fedaid.models.tensor_names import is_alignment, is_statistic
from tests.flare.conftest import random_delta

Make = Callable[..., Any]
Arrays = dict[str, NDArray[Any]]
SITES = {"site-a": 1.0, "site-b": 2.0, "site-c": 3.0}
NAN = float("nan")
BAD: dict[str, list[Any]] = {
    "min_clients": [0, -1, "2", True, 2.0, None],
    "num_rounds": [0, -1, "5", True, None],
    "task_timeout": [0, -1, "60", None, True],
    "wait_time_after_min_received": [-1, "60", None, False],
    "server_learning_rate": [0, -1.0, 2.5, NAN, "1", None, True],
    "selection_metric": ["loss", "", None],
    "dual_step_size": [-0.1, NAN],
    "rho": [0, -1, NAN, float("inf"), "x"],
    "max_site_weight": [0, 1.5, NAN],
    "min_site_weight": [-0.1, 1.0, NAN],
    "initial_site_weights": ["pairs", "equal"],
    "fairness_power": [1.0, -1, NAN],
    "loss_baseline": ["own", None],
    "server_optimizer": ["yogi", None],
    "server_momentum": [1, -0.1, "0.9"],
    "server_second_moment": [1, NAN],
    "server_epsilon": [0, NAN],
    "selection_share": [0, 1.5, NAN, None],
}


def failing(task: str, shareable: Shareable) -> Shareable:
    return make_reply(ReturnCode.EXECUTION_EXCEPTION)


def only(answer: Any, *tasks: str) -> Callable[[str, Shareable], Shareable]:
    """A site that works on these tasks and fails in the others."""
    return lambda task, shareable: (answer if task in tasks else failing)(task, shareable)


def results(made: Any) -> Any:
    return json.loads((made.store / "results.json").read_text())


def final(made: Any) -> bytes:
    return (made.persistor.open_store.newest.folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_argument_is_refused_by_name(name: str, value: Any) -> None:
    arguments = {"min_clients": 2, "num_rounds": 2} | {name: value}
    with pytest.raises(InputError, match=rf"^{name} must be .*config_fed_server\.json"):
        FedAIDController(**arguments)


def test_an_unknown_argument_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^argument must be a known setting, got roh: .*Did you mean rho"):
        FedAIDController(min_clients=2, num_rounds=2, roh=0.1)


def test_the_signature_holds_what_the_method_may_set_with_its_defaults() -> None:
    parameters = inspect.signature(FedAIDController).parameters
    assert {"num_rounds", "selection_share", "rho", "server_momentum"} <= parameters.keys()
    assert not {"self", "method"} & parameters.keys()
    assert (parameters["rho"].default, parameters["server_optimizer"].default) == (0.25, "sgd")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"min_clients": 4}, "min_clients must be at most the 3 sites of the run, got 4"),
        ({"max_site_weight": 0.3}, "max_site_weight must be above 1/S, got 0.3"),
        ({"min_site_weight": 0.4}, "min_site_weight must be at most 1/S, got 0.4"),
    ],
)
def test_what_cannot_hold_with_these_sites_stops_the_run_before_anything_is_sent(
    settings: dict[str, Any], text: str, federation: Make
) -> None:
    made = federation(**settings)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith(text)
    assert made.communicator.asked == []


def test_a_run_asks_for_both_phases_each_round_and_validates_at_the_end(federation: Make) -> None:
    made = federation(min_clients=3)
    made.run()
    assert made.engine.panics == []
    tasks = [task for task, _ in itertools.groupby(made.communicator.asked, key=lambda asked: asked[0])]
    assert tasks[:4] == [ALIGN, PRETRAIN, ALIGN, PRETRAIN]
    assert set(tasks[4:]) == {VALIDATE}
    assert made.engine.events.count(AppEventType.ROUND_DONE) == 2


def test_a_round_is_the_algorithm_of_the_method(federation: Make, honest: Make, theta: Arrays) -> None:
    made = federation(min_clients=3, num_rounds=1, server_learning_rate=0.5)
    made.run()
    answers = {site: honest(site, loss) for site, loss in SITES.items()}

    def deltas(task: str) -> dict[str, Any]:
        data = made.controller.task(task, theta, 0).data
        return {site: update_from_shareable(answer(task, data)).delta for site, answer in answers.items()}

    weights = SiteWeights(MinMaxSettings(), list(SITES))
    weights.step(SITES, dict.fromkeys(SITES, 20))
    alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
    ideal = apply(alignment, weighted_sum(deltas(ALIGN), weights.current))
    expected = apply({**theta, **ideal}, weighted_sum(deltas(PRETRAIN), weights.current), scale=0.5)
    state = load_model(made.persistor.open_store.newest.folder).state_dict()
    assert state.keys() == expected.keys()
    assert all(state[name].numpy().tobytes() == expected[name].tobytes() for name in state)
    assert results(made)["history"][0]["site_weights"] == weights.current
    assert weights.current["site-c"] > weights.current["site-a"]


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_the_server_optimizer_moves_phase_two_and_its_state_is_committed_with_the_round(
    kind: str, federation: Make, honest: Make, theta: Arrays
) -> None:
    made = federation(min_clients=3, num_rounds=2, server_optimizer=kind, server_learning_rate=0.1)
    made.run()
    answers = {site: honest(site, loss) for site, loss in SITES.items()}
    optimizer = ServerOptimizer(ServerOptimizerSettings(kind, 0.1), is_statistic=is_statistic)
    weights, now = SiteWeights(MinMaxSettings(), list(SITES)), theta
    for number in range(2):

        def deltas(task: str, number: int = number) -> dict[str, Any]:
            data = made.controller.task(task, theta, number).data
            return {site: update_from_shareable(answer(task, data)).delta for site, answer in answers.items()}

        weights.step(SITES, {})
        alignment = {name: tensor for name, tensor in now.items() if is_alignment(name)}
        ideal = apply(alignment, weighted_sum(deltas(ALIGN), weights.current))
        now = optimizer.moved({**now, **ideal}, weighted_sum(deltas(PRETRAIN), weights.current))
    state = load_model(made.persistor.open_store.newest.folder).state_dict()
    assert all(state[name].numpy().tobytes() == now[name].tobytes() for name in state)
    committed = made.persistor.open_store.newest.tensors("server_optimizer.safetensors")
    assert committed.keys() == optimizer.state.keys()
    assert all(committed[name].tobytes() == tensor.tobytes() for name, tensor in optimizer.state.items())
    assert len(committed) > 10


def reporting(answer: Any, metric: str, value: float, *, tasks: tuple[str, ...], since: int = 0) -> Any:
    """A site that also reports this metric with its answers to these tasks, from a round on."""

    def more(task: str, shareable: Shareable) -> Any:
        reply = answer(task, shareable)
        if task in tasks and model_from_shareable(shareable).round_number >= since:
            reply["DXO"]["meta"]["metrics"][metric] = value
        return reply

    return more


def test_the_students_loss_of_the_round_before_is_taken_from_the_loss(federation: Make, honest: Make) -> None:
    excess = {"site-a": 0.9, "site-b": 0.5, "site-c": 0.1}  # the worst site is the closest to its own best
    answers = {
        site: reporting(honest(site, loss), "student_loss", loss - excess[site], tasks=(ALIGN,), since=1)
        for site, loss in SITES.items()
    }
    made = federation(answers, min_clients=3, loss_baseline="student")
    made.run()
    first, second = results(made)["history"]
    assert first["weight_move"]["baselines"] == {}
    assert first["site_weights"] == dict.fromkeys(SITES, 1 / 3)
    assert second["weight_move"]["baselines"] == pytest.approx({"site-a": 0.1, "site-b": 1.5, "site-c": 2.9})
    weights = second["site_weights"]
    assert weights["site-a"] > weights["site-b"] > weights["site-c"]


def test_in_a_round_of_one_task_the_students_loss_is_that_of_the_round_before_too(
    federation: Make, honest: Make
) -> None:
    answers = {
        site: reporting(honest(site, loss), "student_loss", 0.5, tasks=(TRAIN,), since=1)
        for site, loss in SITES.items()
    }
    made = federation(answers, min_clients=3, loss_baseline="student", alignment_phase=False)
    made.run()
    moves = [entry["weight_move"]["baselines"] for entry in results(made)["history"]]
    assert moves == [{}, dict.fromkeys(SITES, 0.5)]


def test_a_site_that_reports_no_loss_of_its_own_keeps_its_weight(federation: Make, honest: Make) -> None:
    answers = {
        site: reporting(honest(site, loss), "alone_loss", 0.5, tasks=(ALIGN,))
        if site != "site-c"
        else honest(site, loss)
        for site, loss in SITES.items()
    }
    made = federation(answers, min_clients=3, num_rounds=1, loss_baseline="alone")
    made.run()
    weights = results(made)["site_weights"]
    assert weights["site-c"] == 1 / 3
    assert weights["site-b"] > weights["site-a"]


def test_a_fairness_power_weighs_by_pairs_and_loss(federation: Make) -> None:
    made = federation(min_clients=3, num_rounds=1, dual_step_size=0, fairness_power=1, alignment_phase=False)
    made.run()
    assert results(made)["site_weights"] == pytest.approx({"site-a": 1 / 6, "site-b": 2 / 6, "site-c": 3 / 6})
    assert results(made)["history"][0]["weight_move"]["rule"] == "fairness"


def test_an_update_that_the_servers_filter_cannot_read_is_in_the_record_of_the_round(
    federation: Make, honest: Make
) -> None:
    def garbled(task: str, shareable: Shareable) -> Any:
        reply = honest("site-c", 3.0)(task, shareable)
        if task == VALIDATE:
            return reply
        reply["DXO"]["meta"]["wire"] = {"dtype": "fp99", "still": {}}
        return UpdateDecoder().process(reply, made.fl_ctx)

    good = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    made = federation({"site-c": garbled, **good}, num_rounds=1)
    made.run()
    assert made.engine.panics == []
    (refused,) = results(made)["history"][0]["refused"].items()
    assert refused[0] == "site-c"
    assert refused[1].startswith("update of site site-c in align of round 0 refused: update must be as its layout says")


def test_the_sites_get_the_ideal_alignment_and_nothing_else_in_the_second_phase(
    federation: Make, honest: Make, theta: Arrays
) -> None:
    seen: list[Any] = []

    def watching(site: str) -> Any:
        def answer(task: str, shareable: Shareable) -> Any:
            seen.append((task, model_from_shareable(shareable).tensors))
            return honest(site)(task, shareable)

        return answer

    federation({site: watching(site) for site in SITES}, min_clients=3, num_rounds=1).run()
    (sent,) = [tensors for task, tensors in seen if task == PRETRAIN][:1]
    assert set(sent) == {name for name in theta if is_alignment(name)}
    assert not np.array_equal(sent["log_logit_scale"], theta["log_logit_scale"])


def test_the_order_of_arrival_does_not_show_in_the_final_model(federation: Make, honest: Make) -> None:
    finals = set()
    for order in itertools.permutations(SITES):
        made = federation({site: honest(site, SITES[site]) for site in order}, min_clients=3)
        made.run()
        finals.add(final(made))
    assert len(finals) == 1


def test_a_bad_update_gives_the_model_of_a_run_in_which_that_site_failed(federation: Make, honest: Make) -> None:
    def poisoned(task: str, shareable: Shareable) -> Any:
        reply = honest("site-c", 3.0)(task, shareable)
        if task == PRETRAIN:
            reply["DXO"]["data"]["log_logit_scale"] = np.array(np.nan, np.float32)
        return reply

    good = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    absent = federation({**good, "site-c": only(honest("site-c", 3.0), ALIGN, VALIDATE)})
    bad = federation({"site-c": poisoned, **good})
    absent.run()
    bad.run()
    assert bad.engine.panics == []
    assert results(bad)["history"][0]["refused"]["site-c"].endswith("tensor log_logit_scale must be finite")
    assert results(bad)["history"][0]["train"].keys() == {"site-a", "site-b"}
    assert final(bad) == final(absent)


@pytest.mark.parametrize("works", [(), (ALIGN,)], ids=["in align", "in pretrain"])
def test_below_the_quorum_the_run_stops_and_the_model_is_unchanged(
    works: tuple[str, ...], federation: Make, honest: Make, theta: Arrays
) -> None:
    answers = {site: only(honest(site), *works) for site in ("site-a", "site-b")} | {"site-c": honest("site-c")}
    made = federation(answers)
    made.run()
    (panic,) = made.engine.panics
    phase = PRETRAIN if works else ALIGN
    assert panic.startswith(f"{phase} must have the answers of 2 sites (min_clients), got 1: round 0.")
    assert not list(made.store.glob("round-*"))
    assert not (made.store / "results.json").exists()
    weights = tensors_of(made.controller._global_weights)
    assert all(weights[name].tobytes() == tensor.tobytes() for name, tensor in theta.items())


def test_below_the_quorum_nothing_could_be_aggregated_even_if_flare_went_on(federation: Make, honest: Make) -> None:
    made = federation({"site-a": honest("site-a"), "site-b": only(honest("site-b"), ALIGN)})
    made.run()
    with pytest.raises(RuntimeError, match="at least one accepted update"):
        made.aggregator.total()


def test_the_second_phase_asks_only_those_who_were_accepted_in_the_first(federation: Make, honest: Make) -> None:
    answers = {"site-a": only(honest("site-a"), PRETRAIN), "site-b": honest("site-b"), "site-c": honest("site-c")}
    made = federation(answers, num_rounds=1)
    made.run()
    assert [site for task, site in made.communicator.asked if task == PRETRAIN] == ["site-b", "site-c"]


def test_results_name_the_best_model_and_hold_every_sites_metrics(federation: Make) -> None:
    made = federation(min_clients=3)
    made.run()
    found = results(made)
    assert (found["round"], found["selection_metric"]) == (2, "worst_loss")
    assert found["best_round"] == 0  # all rounds measure the same here, and the first of equals is the best
    assert found["model"] == "best-00000"
    assert list(found["best"]) == list(found["last"]) == list(SITES)
    assert set(found["best"]["site-a"]) == {"valid", "test"}
    assert found["pairs"] == dict.fromkeys(SITES, 20)


def test_the_last_model_can_be_the_best(federation: Make, honest: Make) -> None:
    def improving(site: str) -> Any:
        def answer(task: str, shareable: Shareable) -> Any:
            return honest(site, 5.0 - model_from_shareable(shareable).round_number)(task, shareable)

        return answer

    made = federation({site: improving(site) for site in SITES}, min_clients=3, num_rounds=3)
    made.run()
    found = results(made)
    assert (found["best_round"], found["model"]) == (3, "best-00003")
    assert found["best"] == found["last"]
    assert [task for task, _ in made.communicator.asked].count(VALIDATE) == 3
    best = made.persistor.open_store.newest.best.folder / "model.safetensors"
    assert best.read_bytes() == final(made)


def test_the_final_validation_below_the_quorum_stops_with_a_clear_line(federation: Make, honest: Make) -> None:
    made = federation({site: only(honest(site), ALIGN, PRETRAIN) for site in SITES}, num_rounds=1)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("validate must have the answers of 2 sites")
    found = results(made)
    assert (found["incomplete"], found["best"], found["last"]) == (panic, {}, {})
    assert (found["round"], len(found["history"])) == (1, 1)
    assert (made.store / "ROUND").read_text() == "round-00001"  # the trained model is safe


def test_a_validation_without_the_selection_metric_does_not_end_the_run(federation: Make, honest: Make) -> None:
    def lacking(task: str, shareable: Shareable) -> Any:
        reply = honest("site-c")(task, shareable)
        if task == VALIDATE:
            del reply["DXO"]["data"]["valid"]["recall_at_5"]
        return reply

    answers = {"site-c": lacking, "site-a": honest("site-a"), "site-b": honest("site-b")}
    made = federation(answers, selection_metric="worst_recall_at_5")
    made.run()
    assert made.engine.panics == []
    assert set(results(made)["last"]) == {"site-a", "site-b"}


def test_an_abort_ends_the_run_quietly(federation: Make, honest: Make) -> None:
    made: Any = None

    def aborting(task: str, shareable: Shareable) -> Any:
        if task == PRETRAIN:
            made.engine.abort_signal.trigger(True)
        return honest("site-a")(task, shareable)

    made = federation({"site-a": aborting, "site-b": honest("site-b")})
    made.run()
    assert made.engine.panics == []
    assert not list(made.store.glob("round-*"))
    assert not (made.store / "results.json").exists()


def test_without_an_alignment_phase_a_round_is_one_task_with_the_whole_model(federation: Make) -> None:
    made = federation(min_clients=3, dual_step_size=0, alignment_phase=False, num_rounds=2)
    made.run()
    assert made.engine.panics == []
    asked = [task for task, _ in made.communicator.asked]
    assert {task: asked.count(task) for task in asked} == {TRAIN: 6, VALIDATE: 6}
    entry = results(made)["history"][1]
    assert {site: values["loss"] for site, values in entry["valid"].items()} == dict(zip(SITES, (1, 2, 3), strict=True))
    assert set(entry["train"]) == set(SITES)


def test_no_alignment_phase_gives_fedavgs_sum(federation: Make, theta: Any) -> None:
    made = federation(min_clients=3, dual_step_size=0, alignment_phase=False, num_rounds=1)
    made.run()
    moves = [random_delta(theta, zlib.crc32(site.encode()), 0, False) for site in SITES]
    name = next(name for name in theta if theta[name].ndim == 2)
    expected: Any = theta[name] + sum(move[name].astype(np.float64) for move in moves) / 3
    assert np.allclose(load(final(made))[name], expected, atol=1e-6)


def test_the_run_says_how_many_bytes_it_took(federation: Make, honest: Make) -> None:
    made: Any = None

    def noted(task: str, shareable: Shareable) -> Any:
        context = made.communicator.contexts.new_context()
        context.set_prop(FLContextKey.TASK_NAME, task, private=True, sticky=False)
        context.set_prop(FLContextKey.TASK_DATA, shareable, private=True, sticky=False)
        made.controller.handle_event(EventType.AFTER_TASK_DATA_FILTER, context)
        return honest("site-a")(task, shareable)

    made = federation({"site-a": noted, "site-b": honest("site-b")}, num_rounds=1)
    made.run()
    found = results(made)["bytes"]
    assert {number: set(tasks) for number, tasks in found.items()} == {"0": {ALIGN, PRETRAIN}, "1": {VALIDATE}}
    assert found["0"][ALIGN]["down"] > found["0"][PRETRAIN]["down"] > 0


@pytest.mark.parametrize("value", [None, 0, "yes"])
def test_the_alignment_phase_is_there_or_not(value: Any, federation: Make) -> None:
    with pytest.raises(InputError, match="alignment_phase must be true or false"):
        federation(alignment_phase=value)


def test_without_the_min_max_a_run_is_fedavg_by_pairs(federation: Make, honest: Make) -> None:
    made = federation(min_clients=3, dual_step_size=0, initial_site_weights="pairs", num_rounds=1)
    made.run()
    assert results(made)["site_weights"] == pytest.approx(dict.fromkeys(SITES, 1 / 3))
