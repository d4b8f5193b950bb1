from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fedaid.minmax.weighted_average import apply, renormalise, weighted_sum


def test_a_sum_worked_by_hand() -> None:
    updates = {"a": {"w": np.array([1.0, 2.0])}, "b": {"w": np.array([3.0, -2.0])}}
    np.testing.assert_array_equal(weighted_sum(updates, {"a": 0.25, "b": 0.75})["w"], [2.5, -1.0])


@given(arrays(np.float32, (3, 2), elements=st.floats(-100, 100, width=32)))
def test_the_average_of_one_site_is_its_model(tensor: np.ndarray) -> None:
    start = {"w": np.ones((3, 2), np.float32)}
    moved = apply(start, weighted_sum({"a": {"w": tensor - start["w"]}}, {"a": 1.0}))
    np.testing.assert_allclose(moved["w"], tensor, rtol=1e-6, atol=1e-5)


def test_weights_by_pairs_give_the_federated_average() -> None:
    ends = {"a": np.array([1.0, 5.0]), "b": np.array([4.0, -1.0])}
    start, pairs = np.array([2.0, 2.0]), {"a": 30.0, "b": 10.0}
    deltas = {site: {"w": end - start} for site, end in ends.items()}
    moved = apply({"w": start}, weighted_sum(deltas, renormalise(pairs, ["a", "b"])))
    np.testing.assert_allclose(moved["w"], (30 * ends["a"] + 10 * ends["b"]) / 40)


def test_the_order_of_arrival_does_not_change_a_bit() -> None:
    rng = np.random.default_rng(0)
    updates = {site: {"w": rng.normal(size=50).astype(np.float32)} for site in "abcd"}
    weights = dict(zip("abcd", rng.dirichlet(np.ones(4)), strict=True))
    sums = {weighted_sum({s: updates[s] for s in order}, weights)["w"].tobytes() for order in permutations("abcd")}
    assert len(sums) == 1


def test_the_sum_is_taken_in_double_precision() -> None:
    updates = {site: {"w": np.array([value], np.float32)} for site, value in (("a", 1e8), ("b", 1.0), ("c", -1e8))}
    assert weighted_sum(updates, dict.fromkeys("abc", 1.0))["w"].tolist() == [1.0]


def test_a_scalar_stays_an_array_without_dimensions() -> None:
    total = weighted_sum({"a": {"w": np.array(2.0)}, "b": {"w": np.array(4.0)}}, {"a": 0.5, "b": 0.5})
    moved = apply({"w": np.array(1.0, np.float32)}, total)
    for tensor in (total["w"], moved["w"]):
        assert isinstance(tensor, np.ndarray)
        assert tensor.shape == ()
    assert moved["w"] == 4


def test_integers_are_rounded_to_the_nearest() -> None:
    base = {"steps": np.array([10, -10], np.int64)}
    moved = apply(base, {"steps": np.array([2.6, -2.6])})["steps"]
    assert moved.tolist() == [13, -13]
    assert moved.dtype == np.int64


def test_each_tensor_keeps_its_type() -> None:
    base = {"half": np.ones(2, np.float16), "single": np.ones(2, np.float32), "count": np.ones((), np.int64)}
    moved = apply(base, {name: np.ones(tensor.shape) for name, tensor in base.items()})
    assert {name: tensor.dtype for name, tensor in moved.items()} == {n: t.dtype for n, t in base.items()}


def test_the_scale_multiplies_the_change() -> None:
    assert apply({"w": np.array([1.0])}, {"w": np.array([2.0])}, scale=0.25)["w"].tolist() == [1.5]


def test_a_tensor_without_a_change_is_kept() -> None:
    base = {"moved": np.zeros(1), "kept": np.ones(1)}
    assert apply(base, {"moved": np.ones(1)})["kept"] is base["kept"]


def test_the_base_is_not_changed_in_place() -> None:
    base = {"w": np.zeros(2)}
    apply(base, {"w": np.ones(2)})
    assert base["w"].tolist() == [0, 0]


def test_no_update_gives_an_empty_sum() -> None:
    assert weighted_sum({}, {}) == {}


def test_weights_of_those_who_answered_sum_to_one() -> None:
    assert renormalise({"a": 0.5, "b": 0.3, "c": 0.2}, ["b", "c"]) == pytest.approx({"b": 0.6, "c": 0.4})


def test_sites_that_hold_no_weight_together_count_alike() -> None:
    assert renormalise({"a": 1.0, "b": 0.0, "c": 0.0}, ["b", "c"]) == {"b": 0.5, "c": 0.5}
