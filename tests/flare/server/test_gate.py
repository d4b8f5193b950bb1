from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.shareable import Shareable

from fedaid.flare.server.gate import Gate, RefusedAnswer, judge_tensors, specs_of
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.messages import update_to_shareable
from fedaid.flare.wire.metric_rules import judge_metrics
from fedaid.flare.wire.tasks import UpdateMessage

MakeUpdate = Callable[..., UpdateMessage]
Delta = dict[str, NDArray[Any]]
NAN, INFINITE = float("nan"), float("inf")
SITES = ["site-a", "site-b", "site-c"]


def changed(delta: Delta, name: str, tensor: Any) -> dict[str, Any]:
    return {**delta, name: tensor}


def poisoned(delta: Delta, value: float) -> Delta:
    matrix = delta["matrix"].copy()
    matrix[1, 2] = value
    return changed(delta, "matrix", matrix)


BAD_TENSORS: dict[str, tuple[Callable[[Delta], Any], str]] = {
    "NaN": (lambda d: poisoned(d, NAN), "tensor matrix must be finite"),
    "Inf": (lambda d: poisoned(d, -INFINITE), "tensor matrix must be finite"),
    "NaN scalar": (lambda d: changed(d, "scalar", np.array(NAN, np.float32)), "tensor scalar must be finite"),
    "wrong shape": (lambda d: changed(d, "matrix", np.zeros((3, 2), np.float32)), r"shape \(2, 3\), got \(3, 2\)"),
    "broadcastable": (lambda d: changed(d, "matrix", np.zeros((1, 3), np.float32)), r"shape \(2, 3\), got \(1, 3\)"),
    "broadcastable scalar": (lambda d: changed(d, "vector", np.array(0, np.float32)), r"shape \(3,\), got \(\)"),
    "missing": (lambda d: {name: d[name] for name in d if name != "vector"}, r"\['vector'\] is missing \(1 in all\)"),
    "extra": (lambda d: changed(d, "more", np.zeros(1, np.float32)), r"\['more'\] is not of the model"),
    "renamed": (lambda d: {name.upper(): d[name] for name in d}, r"is missing \(4 in all\)"),
    "no names": (lambda d: {number: tensor for number, tensor in enumerate(d.values())}, "is missing"),
    "empty": (lambda d: {}, r"is missing \(4 in all\)"),
    "float64": (lambda d: changed(d, "vector", np.zeros(3)), "type float32, got float64"),
    "float counter": (lambda d: changed(d, "counter", np.array(1.0)), "type int64, got float64"),
    "other byte order": (lambda d: changed(d, "vector", np.zeros(3, ">f4")), "type float32"),
    "objects": (lambda d: changed(d, "vector", np.array([{}] * 3)), "type float32, got object"),
    "list": (lambda d: changed(d, "vector", [0.0, 0.0, 0.0]), "must be a numpy array"),
    "masked": (lambda d: changed(d, "vector", np.ma.masked_array(np.zeros(3, np.float32))), "must be a numpy array"),
    "too large": (lambda d: poisoned(d, 2e6), "norm must be at most 1e[+]06, got 2e[+]06"),
    "largest float": (lambda d: poisoned(d, 3e38), "norm must be at most"),
}
BAD_FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "past round": ({"round_number": 2}, "another round"),
    "future round": ({"round_number": 4}, "another round"),
    "pairs 0": ({"pairs": 0}, "pairs must be in"),
    "pairs -1": ({"pairs": -1}, "pairs must be in"),
    "pairs 1e12": ({"pairs": 10**12}, "pairs must be in"),
    "pairs x": ({"pairs": "x"}, "pairs must be in"),
    "pairs True": ({"pairs": True}, "pairs must be in"),
    "pairs NaN": ({"pairs": NAN}, "pairs must be in"),
    "recall 1000": ({"metrics": {"loss": 1.0, "recall_at_1": 1000.0}}, "metric recall_at_1 must be at most 1"),
    "accuracy 1.1": ({"metrics": {"loss": 1.0, "batch_accuracy": 1.1}}, "metric batch_accuracy must be at most 1"),
    "loss NaN": ({"metrics": {"loss": NAN}}, "metric loss must be a finite number"),
    "loss Inf": ({"metrics": {"loss": INFINITE}}, "metric loss must be a finite number"),
    "loss 1e308": ({"metrics": {"loss": 1e308}}, "metric loss must be a finite number"),
    "loss -1": ({"metrics": {"loss": -1.0}}, "metric loss must be a finite number"),
    "loss x": ({"metrics": {"loss": "x"}}, "metric loss must be a finite number"),
    "loss list": ({"metrics": {"loss": [1.0]}}, "metric loss must be a finite number"),
    "loss True": ({"metrics": {"loss": True}}, "metric loss must be a finite number"),
    "loss missing": ({"metrics": {"recall_at_1": 0.1}}, "metric loss is missing"),
    "another metric NaN": ({"metrics": {"loss": 1.0, "x": NAN}}, "metric x must be a finite number"),
    "metric name": ({"metrics": {"loss": 1.0, 7: 1.0}}, "metric names must be short texts"),
    "long metric name": ({"metrics": {"loss": 1.0, "x" * 1000: 1.0}}, "metric names must be short texts"),
    "metric name of two lines": ({"metrics": {"loss": 1.0, "x\n2026 INFO": 1.0}}, "metric names must be short texts"),
    "100,000 metrics": ({"metrics": {"loss": 1.0} | {f"m{n}": 0.0 for n in range(100_000)}}, "too many fields"),
    "100,000 reasons": ({"skipped": {f"r{n}": 0 for n in range(100_000)}}, "too many fields"),
    "skipped text": ({"skipped": {"image-missing": "DOE^JANE"}}, "skipped must map short reasons to counts"),
    "skipped long text": ({"skipped": {"x" * 1000: 1}}, "skipped must map short reasons to counts"),
    "skipped number": ({"skipped": {1: 1}}, "skipped must map short reasons to counts"),
    "skipped -1": ({"skipped": {"image-missing": -1}}, "skipped must map short reasons to counts"),
}


@pytest.fixture
def gate(template: Delta) -> Gate:
    return Gate(phase="align", round_number=3, template=template, sites=SITES, needs=("loss",))


def assert_refused(gate: Gate, site: str, update: UpdateMessage, reason: str) -> None:
    before = dict(gate.accepted)
    with pytest.raises(RefusedAnswer, match=reason) as refusal:
        gate.accept(site, update)
    assert str(refusal.value).startswith(f"update of site {site} in align of round 3 refused: ")
    assert gate.refused[site] == str(refusal.value)
    assert len(str(refusal.value)) < 300
    assert gate.accepted == before


@pytest.mark.parametrize("case", BAD_TENSORS)
def test_bad_tensors_are_refused_whole_with_site_round_and_reason(
    case: str, gate: Gate, make_update: MakeUpdate
) -> None:
    spoil, reason = BAD_TENSORS[case]
    assert_refused(gate, "site-b", make_update(delta=spoil(dict(make_update().delta))), reason)


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_bad_fields_are_refused_whole_with_site_round_and_reason(
    case: str, gate: Gate, make_update: MakeUpdate
) -> None:
    changes, reason = BAD_FIELDS[case]
    assert_refused(gate, "site-b", make_update(**changes), reason)


def test_a_second_answer_is_refused_and_the_first_stays(gate: Gate, make_update: MakeUpdate) -> None:
    first = make_update(seed=1)
    gate.accept("site-a", first)
    assert_refused(gate, "site-a", make_update(seed=2), "has answered already")
    assert gate.accepted["site-a"] is first


def test_a_site_that_was_not_asked_is_refused(gate: Gate, make_update: MakeUpdate) -> None:
    assert_refused(gate, "site-x", make_update(), "was not asked")


def test_nothing_enters_a_closed_gate(gate: Gate, make_update: MakeUpdate) -> None:
    gate.accept("site-a", make_update())
    gate.close()
    assert_refused(gate, "site-b", make_update(), "the phase is over")
    assert list(gate.close()) == ["site-a"]


def test_a_site_may_correct_a_refused_update(gate: Gate, make_update: MakeUpdate) -> None:
    assert_refused(gate, "site-a", make_update(pairs=0), "pairs")
    gate.accept("site-a", make_update())
    assert list(gate.accepted) == ["site-a"]


def test_accepted_updates_come_in_the_order_of_site_names(gate: Gate, make_update: MakeUpdate) -> None:
    for site in ("site-c", "site-a", "site-b"):
        gate.accept(site, make_update())
    assert list(gate.close()) == SITES


def test_no_good_update_of_a_thousand_is_refused(template: Delta, make_update: MakeUpdate) -> None:
    rng = np.random.default_rng(0)
    for seed in range(1000):
        gate = Gate(phase="pretrain", round_number=3, template=template, sites=SITES, needs=("loss",))
        scale = np.float32(10.0 ** rng.uniform(-8, 5))
        delta = {
            name: np.asarray(t * scale) if t.dtype == np.float32 else t for name, t in make_update(seed).delta.items()
        }
        metrics = {"loss": float(10.0 ** rng.uniform(-6, 1.2)), "recall_at_1": float(rng.random())}
        gate.accept("site-a", make_update(delta=delta, metrics=metrics, pairs=int(rng.integers(1, 10**9))))
        assert gate.refused == {}


def test_the_norm_is_that_of_all_tensors_together(template: Delta) -> None:
    assert judge_tensors(template, specs_of(template)) == pytest.approx(np.sqrt(55 + 3 + 0.25 + 49))


def test_metrics_of_zero_and_whole_numbers_are_sound() -> None:
    judge_metrics({"loss": 0.0, "studies": 12}, needs=("loss",))


def test_an_answer_that_cannot_be_unpacked_is_refused_with_its_site(gate: Gate) -> None:
    with pytest.raises(RefusedAnswer, match="update of site site-a in align of round 3 refused: message must hold a"):
        gate.take("site-a", Shareable())
    assert list(gate.refused) == ["site-a"]


def test_with_a_store_the_tensors_go_to_disk_and_the_counts_stay(
    gate: Gate, make_update: MakeUpdate, tmp_path: Path
) -> None:
    store = UpdateStore(tmp_path / "updates")
    gate.take("site-a", update_to_shareable(make_update()), store=store)
    gate.take("site-b", update_to_shareable(make_update()))
    accepted = gate.close()
    assert (accepted["site-a"].delta, accepted["site-a"].pairs) == ({}, 10)
    assert np.array_equal(store.tensor("matrix")["site-a"]["matrix"], make_update().delta["matrix"])
    assert accepted["site-b"].delta.keys() == make_update().delta.keys()
