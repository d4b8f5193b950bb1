from __future__ import annotations

import pytest

from fedaid.minmax.outliers import beyond_margin, outliers

STEADY = {"lake": 3.0, "north": 3.0}


@pytest.mark.parametrize("false", [0.5, 5.5])
def test_of_two_sites_the_one_that_changed_is_the_outlier(false: float) -> None:
    """Each is as far from the other: 2.5 nats, 1.5 beyond the margin; lake reported what it always did."""
    values = {"lake": 3.0, "north": false}
    assert beyond_margin("lake", values, [STEADY, STEADY]) == -1.0
    assert beyond_margin("north", values, [STEADY, STEADY]) == 1.5
    assert outliers(values, {site: [STEADY, STEADY] for site in values}) == {"north": 3.0}


def test_a_site_that_stays_where_it_was_is_no_outlier_when_the_others_move() -> None:
    values = {"lake": 3.0, "north": 0.5}
    assert outliers(values, {"lake": [STEADY, STEADY]}) == {}


def test_where_all_values_are_within_one_nat_none_stands_out() -> None:
    """lake goes 1 nat up and down again, the others 0.2 down and up: 1.2 nats apart from them, 1.0 in all values."""
    values, near = {"lake": 1.0, "north": 0.4, "south": 0.4}, {"lake": 0.0, "north": 0.6, "south": 0.6}
    assert beyond_margin("lake", values, [near, near]) == 0.0
    higher = {"lake": 1.01, "north": 0.4, "south": 0.4}
    assert beyond_margin("lake", higher, [near, near]) == pytest.approx(0.21)
