"""One site whose updates are far from the others' changes neither the model nor the run of the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.gate import Gate, RefusedAnswer
from fedaid.flare.wire.messages import model_from_shareable
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE
from fedaid.minmax.update_bounds import NormBounds
from fedaid.models.tensor_names import is_statistic
from tests.flare.server.test_controller import SITES, final, only, results

Make = Callable[..., Any]


def liar(answer: Any, factor: float, *, task: str = PRETRAIN, since: int = 0) -> Any:
    """A site that multiplies the learned tensors of its update of a task, from a round on."""

    def lies(name: str, shareable: Shareable) -> Any:
        reply = answer(name, shareable)
        if name == task and model_from_shareable(shareable).round_number >= since:
            data = reply["DXO"]["data"]
            learned = {key: tensor for key, tensor in data.items() if not is_statistic(key)}
            data.update({key: np.asarray(tensor * np.float32(factor)) for key, tensor in learned.items()})
        return reply

    return lies


@pytest.mark.parametrize("task", [ALIGN, PRETRAIN])
def test_an_update_a_hundred_times_too_large_is_refused_whatever_the_order(
    task: str, federation: Make, honest: Make
) -> None:
    good = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    works = (VALIDATE,) if task == ALIGN else (ALIGN, VALIDATE)
    without = federation({**good, "site-c": only(honest("site-c", 3.0), *works)}, num_rounds=1)
    without.run()
    sites = {**good, "site-c": liar(honest("site-c", 3.0), 100.0, task=task)}
    for order in itertools.permutations(sites):
        made = federation({site: sites[site] for site in order}, min_clients=2, num_rounds=1)
        made.run()
        assert made.engine.panics == []
        (refused,) = results(made)["history"][0]["refused"].items()
        assert refused[0] == "site-c"
        assert f"in {task} of round 0 refused: the norm of its learned tensors must be at most" in refused[1]
        assert final(made) == final(without)


def test_with_two_sites_the_rounds_before_show_who_is_wrong(federation: Make, honest: Make) -> None:
    answers = {"site-a": honest("site-a", 1.0), "site-b": liar(honest("site-b", 2.0), 100.0, since=1)}
    made = federation(answers, min_clients=1, num_rounds=2)
    made.run()
    first, second = results(made)["history"]
    assert first["refused"] == {}
    assert second["refused"].keys() == {"site-b"}
    assert second["norms"][PRETRAIN].keys() == {"site-a"}


def test_without_a_ratio_a_large_update_is_accepted(federation: Make, honest: Make) -> None:
    answers = {site: honest(site, loss) for site, loss in SITES.items()}
    answers["site-c"] = liar(answers["site-c"], 100.0)
    made = federation(answers, min_clients=3, num_rounds=1, largest_norm_ratio=None)
    made.run()
    assert results(made)["history"][0]["refused"] == {}
    assert "kept" not in results(made)["history"][0]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_model_that_is_not_sound_is_not_committed_and_the_largest_mover_is_named(
    optimizer: str, federation: Make, honest: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sites of a first round show no liar; their sum is too large a step."""
    answers = {"site-a": honest("site-a", 1.0), "site-b": liar(honest("site-b", 2.0), 1e5, task=TRAIN)}
    named = {
        "server_optimizer": optimizer,
        "server_learning_rate": 0.01 if optimizer == "adam" else 1.0,
        "alignment_phase": False,
    }
    made = federation(answers, num_rounds=1, **named)
    before: dict[str, Any] = {}
    made.start()
    before |= {name: tensor.copy() for name, tensor in made.controller._global_weights["weights"].items()}
    made.controller.control_flow(made.engine.abort_signal, made.fl_ctx)
    kept = results(made)["history"][0].get("kept")
    if optimizer == "adam":  # its step does not depend on the size of the sum
        assert kept is None
        return
    assert kept[TRAIN]["largest_mover"] == "site-b"
    assert "its step has norm" in kept[TRAIN]["reason"]
    after = made.persistor.open_store.newest.tensors()
    assert all(after[name].tobytes() == before[name].tobytes() for name in before)
    assert made.controller._optimizer.state == {}


def test_statistics_far_from_those_of_the_others_are_refused(make_update: Make) -> None:
    template = {"w": np.ones(3, np.float32), "bn.running_mean": np.zeros(3, np.float32)}
    gate = gate_of(template)
    for site, mean in (("site-a", 0.1), ("site-b", 0.2), ("site-c", 50.0)):
        delta = {"w": np.full(3, 0.01, np.float32), "bn.running_mean": np.full(3, mean, np.float32)}
        gate.accept(site, make_update(delta=delta))
    assert list(gate.close()) == ["site-a", "site-b"]
    assert "the norm of its statistics must be at most" in gate.refused["site-c"]


def test_counters_and_statistics_do_not_count_as_learned(make_update: Make) -> None:
    template = {"w": np.ones(3, np.float32), "n": np.array(1), "bn.running_mean": np.zeros(3, np.float32)}
    gate = gate_of(template)
    for site, steps in (("site-a", 1), ("site-b", 2), ("site-c", 5000)):
        mean = np.full(3, 0.1, np.float32)
        gate.accept(site, make_update(delta={"w": mean / 10, "n": np.array(steps), "bn.running_mean": mean}))
    assert len(gate.close()) == 3
    assert gate.norms == pytest.approx(dict.fromkeys(SITES, 0.01 * np.sqrt(3)))


def test_an_update_that_leaves_a_variance_below_zero_is_refused(make_update: Make) -> None:
    gate = gate_of({"bn.running_var": np.ones(2, np.float32)})
    gate.accept("site-a", make_update(delta={"bn.running_var": np.full(2, -1.0, np.float32)}))
    with pytest.raises(RefusedAnswer, match=r"tensor bn\.running_var must leave the variance at least 0"):
        gate.accept("site-b", make_update(delta={"bn.running_var": np.full(2, -1.1, np.float32)}))


@pytest.mark.parametrize("name", ["loss", "student_loss", "alone_loss"])
def test_a_loss_that_infonce_cannot_reach_is_refused(name: str, make_update: Make) -> None:
    gate = gate_of({"w": np.ones(2, np.float32)})
    delta = {"w": np.ones(2, np.float32)}
    gate.accept("site-a", make_update(delta=delta, metrics={"loss": 1.0, name: 16.6}))
    with pytest.raises(RefusedAnswer, match=f"metric {name} must be at most 16.6355 nats"):
        gate.accept("site-b", make_update(delta=delta, metrics={"loss": 1.0, name: 16.7}))


def gate_of(template: dict[str, Any]) -> Gate:
    return Gate(phase="train", round_number=3, template=template, sites=list(SITES), bounds=NormBounds(10.0))
