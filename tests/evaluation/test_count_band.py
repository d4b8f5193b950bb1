from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.evaluation.count_band import count_band


@pytest.mark.parametrize(
    ("count", "band"), [(0, "<5"), (4, "<5"), (5, "5-9"), (19, "10-19"), (20, "20-49"), (99_999, "10000-99999")]
)
def test_bands_worked_by_hand(count: int, band: str) -> None:
    assert count_band(count, least=5) == band


def test_no_band_begins_below_the_least_number() -> None:
    assert [count_band(count, least=12) for count in (11, 12, 19, 20)] == ["<12", "12-19", "12-19", "20-49"]


def test_the_last_band_is_open() -> None:
    assert count_band(10**7, least=5) == "100000+"


@given(st.integers(0, 10**6), st.integers(1, 50))
def test_a_number_lies_in_its_band(count: int, least: int) -> None:
    band = count_band(count, least=least)
    if band.startswith("<"):
        assert count < least
    elif not band.endswith("+"):
        low, high = map(int, band.split("-"))
        assert least <= low <= count <= high
