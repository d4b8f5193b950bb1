from __future__ import annotations

import pytest

from fedaid.minmax.pair_bounds import PairBounds


@pytest.mark.parametrize(
    ("pairs", "limits"),
    [
        ({"a": 500, "b": 500, "c": 10**9}, {"c": 500_000}),
        ({"a": 500, "b": 40, "c": 10**9}, {"c": 500_000}),  # of two others, the larger
        ({"a": 40, "b": 200, "c": 40_000}, {}),  # sites may differ by 1,000 times
        ({"a": 200_000, "b": 200, "c": 300}, {}),
        ({"a": 200_000, "b": 500, "c": 1}, {}),  # a false small number makes no other one large
        ({"a": 50_000, "b": 1}, {}),
        ({"a": 500, "b": 10**9}, {"b": 500_000}),
        ({"a": 10**9}, {}),  # nobody to compare with
        ({"a": 500, "b": 600, "c": 10**9, "d": 400, "e": 10**9}, {"c": 600_000, "e": 600_000}),
    ],
)
def test_a_number_far_above_those_of_the_other_sites_is_too_large(
    pairs: dict[str, int], limits: dict[str, int]
) -> None:
    assert PairBounds().too_many(pairs) == limits
    assert PairBounds().too_many(dict(reversed(pairs.items()))) == limits


def test_sites_that_miss_a_phase_count_with_their_first_report() -> None:
    bounds = PairBounds({"a": 500, "b": 400})
    assert bounds.too_many({"c": 10**9}) == {"c": 500_000}


@pytest.mark.parametrize(
    ("pairs", "changed"), [(500, False), (250, False), (1000, False), (249, True), (1001, True), (10**9, True)]
)
def test_a_site_reports_about_what_it_reported_first(pairs: int, changed: bool) -> None:
    assert PairBounds({"a": 500}).has_changed("a", pairs) == changed
    assert not PairBounds({"a": 500}).has_changed("b", pairs)
