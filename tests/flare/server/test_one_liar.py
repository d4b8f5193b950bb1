"""One site whose updates are far from the others' changes neither the model nor the run of the others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.aggregator import SiteWeightedAggregator
from fedaid.flare.server.gate import Gate, RefusedAnswer
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.messages import model_from_shareable, update_to_shareable
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE
from fedaid.minmax.norm_clipping import ClipSettings
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


FEDAVG = {"dual_step_size": 0, "initial_site_weights": "pairs", "alignment_phase": False}
FAIR = {"dual_step_size": 0, "fairness_power": 1, "alignment_phase": False}


def counting(answer: Any, pairs: int, *, since: int = 0) -> Any:
    """A site that reports a false number of pairs from a round on."""

    def counts(name: str, shareable: Shareable) -> Any:
        reply = answer(name, shareable)
        if name != VALIDATE and model_from_shareable(shareable).round_number >= since:
            reply["DXO"]["meta"]["pairs"] = pairs
        return reply

    return counts


@pytest.mark.parametrize("rule", [FEDAVG, FAIR, {}])
@pytest.mark.parametrize(("since", "pairs"), [(0, 10**9), (1, 10**9), (1, 41)])
def test_no_site_gains_weight_by_a_false_number_of_pairs(
    since: int, pairs: int, rule: dict[str, Any], federation: Make, honest: Make
) -> None:
    """The honest number is 20 at each site."""
    answers = {site: honest(site, loss) for site, loss in SITES.items()}
    answers["site-c"] = counting(answers["site-c"], pairs, since=since)
    made = federation(answers, min_clients=2, num_rounds=2, **rule)
    made.run()
    assert made.engine.panics == []
    found = results(made)
    assert [*found["history"][1]["refused"]] == ["site-c"]
    assert "refused: pairs must be" in found["history"][1]["refused"]["site-c"]
    assert found["site_weights"]["site-c"] <= 0.51
    assert found["pairs"]["site-a"] == 20
    assert found["pairs"].get("site-c", 20) == 20


def test_a_limit_by_pairs_does_not_depend_on_the_order_of_arrival(make_update: Make) -> None:
    delta = {"w": np.ones(2, np.float32)}
    counts = {"site-a": 500, "site-b": 600, "site-c": 10**9}
    for order in itertools.permutations(counts):
        gate = gate_of({"w": np.ones(2, np.float32)})
        for site in order:
            gate.accept(site, make_update(delta=delta, pairs=counts[site]))
        assert [*gate.close()] == ["site-a", "site-b"]
        assert "pairs must be at most 600000, 1,000 times the median of the other sites" in gate.refused["site-c"]


def test_the_largest_mover_counts_with_its_weight_and_clipped(
    make_update: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fedaid.flare.server.aggregator.model_fault", lambda *_, **__: "not sound")
    base = {"w": np.zeros(1, np.float32)}
    for lengths, weights, clip, mover in (
        ((6.0, 5.0, 1.0), (0.1, 0.8, 0.1), None, "site-b"),
        ((5.0, 5.1, 90.0), (0.2, 0.6, 0.2), 1.0, "site-b"),
    ):
        sums = SiteWeightedAggregator()
        sums._store = UpdateStore(tmp_path / mover)
        gate = Gate(phase="train", round_number=3, template=base, sites=list(SITES))
        sums.open(gate, base, clip=ClipSettings(clip))
        sums.site_weights = dict(zip(SITES, weights, strict=True))
        for site, length in zip(SITES, lengths, strict=True):
            gate.take(
                site, update_to_shareable(make_update(delta={"w": np.array([length], np.float32)})), store=sums._store
            )
        sums.total()
        assert sums.kept["largest_mover"] == mover


def test_a_variance_that_rounding_takes_below_zero_is_committed_as_zero(make_update: Make, tmp_path: Path) -> None:
    base = {"bn.running_var": np.array([100.0], np.float32)}
    sums = SiteWeightedAggregator()
    sums._store, sums.site_weights = UpdateStore(tmp_path), {"site-a": 1.0}
    gate = Gate(phase="train", round_number=3, template=base, sites=["site-a"])
    sums.open(gate, base)
    update = make_update(delta={"bn.running_var": np.array([-100.0009], np.float32)})
    gate.take("site-a", update_to_shareable(update), store=sums._store)
    assert sums.total()["bn.running_var"].tolist() == [0.0]


def gate_of(template: dict[str, Any]) -> Gate:
    return Gate(phase="train", round_number=3, template=template, sites=list(SITES), bounds=NormBounds(10.0))
