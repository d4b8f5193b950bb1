from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.results.report.share_intervals import Interval, difference, interval_of, mean_of, wilson


def test_a_share_has_wilsons_interval() -> None:
    found = wilson(0.5, 10)
    assert (found.low, found.high) == pytest.approx((0.23659, 0.76341), abs=1e-5), "Wilson 1927 for 5 of 10"


def test_a_share_of_none_reaches_above_zero() -> None:
    found = wilson(0.0, 10)
    assert found.low == 0
    assert found.high == pytest.approx(0.27753, abs=1e-5), "z² / (n + z²)"


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_an_interval_of_a_share_holds_it_and_stays_between_0_and_1(share: float, count: int) -> None:
    found = wilson(share, count)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_mean_of_four_sites_is_known_twice_as_well_as_one() -> None:
    found = mean_of([Interval(0.5, 0.3, 0.7)] * 4)
    assert (found.low, found.value, found.high) == pytest.approx((0.4, 0.5, 0.6))


def test_the_distances_of_a_difference_add_in_squares() -> None:
    found = difference(Interval(0.8, 0.77, 0.84), Interval(0.5, 0.47, 0.54))
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 0.05), "0.03 below the first and 0.04 above the second"
    assert found.high == pytest.approx(0.3 + 0.05), "0.04 above the first and 0.03 below the second"


def test_limits_that_leave_the_value_out_are_widened_to_it() -> None:
    assert interval_of({"value": 0.5, "low": 0.6, "high": 0.7}, patients=20) == Interval(0.5, 0.5, 0.7)


def test_limits_without_a_width_are_those_of_so_many_patients() -> None:
    found = interval_of({"value": 1.0, "low": 1.0, "high": 1.0}, patients=6)
    assert found == wilson(1.0, 6)
    assert found.low == pytest.approx(0.60967, abs=1e-5), "n / (n + z²)"


def test_an_interval_without_limits_is_that_of_so_many_patients() -> None:
    assert interval_of({"value": 0.5, "low": None, "high": None}, patients=10) == wilson(0.5, 10)
