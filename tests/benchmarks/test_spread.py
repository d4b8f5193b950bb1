from __future__ import annotations

import pytest
from scipy import stats

from tests.benchmarks.spread import Difference, difference


def test_a_paired_difference_by_hand() -> None:
    found = difference([3.0, 5.0, 4.0], [1.0, 4.0, 1.0])  # apart by 2, 1, 3
    assert (found.mean, found.standard_error, found.pairs) == (2.0, pytest.approx(1 / 3**0.5), 3)
    assert found.high - found.mean == pytest.approx(4.302653 / 3**0.5, rel=1e-6)


def test_the_interval_is_that_of_scipys_paired_test() -> None:
    ones, others = [3.0, 5.0, 4.0, 4.5], [1.0, 4.0, 1.0, 4.0]
    interval = stats.ttest_rel(ones, others).confidence_interval(0.95)
    found = difference(ones, others)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(
    ("low", "high", "told"), [(-0.9, 1.0, True), (-1.1, 0.5, None), (1.1, 3.0, False), (-3.0, -1.1, False)]
)
def test_within_a_limit_is_told_where_the_interval_allows_it(low: float, high: float, told: bool | None) -> None:
    assert Difference((low + high) / 2, 0.1, low, high, 5).within(1.0) is told
