from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.minmax.site_weights import fair_weights

REPORTS = st.dictionaries(
    st.sampled_from("abcdefg"), st.tuples(st.floats(0, 1e6), st.integers(1, 10**9)), min_size=1
).map(lambda table: ({s: f for s, (f, _) in table.items()}, {s: n for s, (_, n) in table.items()}))


def test_weights_worked_by_hand() -> None:
    weights = fair_weights({"a": 2.0, "b": 1.0}, {"a": 10, "b": 30}, power=2.0)
    assert weights == pytest.approx({"a": 40 / 70, "b": 30 / 70})


@given(REPORTS)
def test_power_zero_gives_fedavgs_weights_by_pairs(reports: tuple[dict[str, float], dict[str, int]]) -> None:
    losses, pairs = reports
    expected = {site: count / sum(pairs.values()) for site, count in pairs.items()}
    assert fair_weights(losses, pairs, power=0.0) == pytest.approx(expected)


@given(REPORTS, st.floats(0, 1e300))
def test_weights_are_on_the_simplex_for_any_power(
    reports: tuple[dict[str, float], dict[str, int]], power: float
) -> None:
    weights = fair_weights(*reports, power=power)
    assert min(weights.values()) >= 0
    assert sum(weights.values()) == pytest.approx(1)


@given(REPORTS, st.floats(0, 5), st.floats(0.1, 10))
def test_the_unit_of_the_losses_does_not_matter(
    reports: tuple[dict[str, float], dict[str, int]], power: float, unit: float
) -> None:
    losses = {site: 1e-3 + loss for site, loss in reports[0].items()}
    scaled = {site: unit * loss for site, loss in losses.items()}
    there, here = (fair_weights(one, reports[1], power=power) for one in (losses, scaled))
    assert here == pytest.approx(there, rel=1e-6, abs=1e-12)


def test_sites_without_any_loss_are_weighed_by_pairs() -> None:
    assert fair_weights({"a": 0.0, "b": 0.0}, {"a": 1, "b": 3}, power=2.0) == pytest.approx({"a": 0.25, "b": 0.75})


def test_a_large_power_leaves_the_worst_site() -> None:
    assert fair_weights({"a": 2.0, "b": 1.0}, {"a": 1, "b": 1000}, power=1e4)["a"] == pytest.approx(1)


def test_the_order_of_arrival_does_not_show() -> None:
    there = fair_weights({"b": 2.0, "a": 1.0}, {"b": 3, "a": 4}, power=1.0)
    assert list(there.items()) == list(fair_weights({"a": 1.0, "b": 2.0}, {"a": 4, "b": 3}, power=1.0).items())
