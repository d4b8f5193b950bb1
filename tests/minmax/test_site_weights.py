from __future__ import annotations

import pytest

from fedaid.errors import InputError
from fedaid.minmax.dual_step import dual_step
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights

BY_PAIRS = MinMaxSettings(dual_step_size=0, initial_site_weights="pairs")
LOSSES = {"a": 2.0, "b": 1.0, "c": 1.0}
PAIRS = {"a": 10, "b": 30, "c": 60}


def test_weights_start_uniform_in_the_order_of_names() -> None:
    assert list(SiteWeights(MinMaxSettings(), ["b", "a"]).current.items()) == [("a", 0.5), ("b", 0.5)]


def test_a_step_is_the_dual_step_of_the_settings() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=0.3, rho=0.1, min_site_weight=0.05), list("abc"))
    start = dict(weights.current)
    weights.step(LOSSES, PAIRS)
    assert weights.current == dual_step(start, LOSSES, step_size=0.3, rho=0.1, floor=0.05)


def test_a_second_step_goes_on_from_the_first() -> None:
    weights = SiteWeights(MinMaxSettings(rho=1.0), list("abc"))
    weights.step(LOSSES, PAIRS)
    first = weights.current["a"]
    weights.step(LOSSES, PAIRS)
    assert weights.current["a"] > first > 1 / 3


def test_a_ceiling_is_kept() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=5.0, max_site_weight=0.4), list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current["a"] == pytest.approx(0.4)


def test_without_the_min_max_uniform_weights_stay() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=0), list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current == dict.fromkeys("abc", 1 / 3)


def test_weights_by_pairs_are_in_proportion_to_them() -> None:
    weights = SiteWeights(BY_PAIRS, list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current == pytest.approx({"a": 0.1, "b": 0.3, "c": 0.6})


def test_a_site_that_missed_the_first_round_gets_its_share_later() -> None:
    weights = SiteWeights(BY_PAIRS, list("abc"))
    weights.step({"a": 2.0, "b": 1.0}, {"a": 10, "b": 30})
    assert weights.current == pytest.approx({"a": 0.25, "b": 0.75, "c": 0})
    weights.step({"c": 1.0}, {"c": 60})
    assert weights.current == pytest.approx({"a": 0.1, "b": 0.3, "c": 0.6})


def test_a_floor_that_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="min_site_weight"):
        SiteWeights(MinMaxSettings(min_site_weight=0.4), list("abc"))
