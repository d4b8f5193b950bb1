"""The sum over series of faults."""

from __future__ import annotations

import pytest

from tests.chaos.outcome import KEYS, Outcome, total
from tests.chaos.page_table import BEGIN, END, with_table


def test_counts_are_added_and_the_worst_time_counts() -> None:
    kills = Outcome(place="POC", injected=3, survived=2, recovery_seconds=41.0, failures=("before rename",))
    cuts = Outcome(place="provisioned, TLS", injected=2, survived=2, recovery_seconds=12.5)
    summed = total([kills, cuts])
    assert (summed["injected"], summed["survived"], summed["recovery_seconds"]) == (5, 4, 41.0)
    assert tuple(summed) == KEYS


def test_what_no_series_measured_is_none_and_not_zero() -> None:
    assert total([Outcome(place="in-process", silent_loads=0)])["guards"] is None
    assert Outcome(place="in-process", silent_loads=0).numbers() == {"place": "in-process", "silent_loads": 0}


def test_the_table_of_the_page_is_replaced_between_its_marks() -> None:
    found = {"kills": {"place": "POC", "injected": 3, "survived": 2, "recovery_seconds": 41.0, "seconds": 9.0}}
    page = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n", found)
    assert "| kills | POC | 3 | 2 | recovery_seconds 41 |" in page
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "old" not in page
    with pytest.raises(ValueError, match="the page must have"):
        with_table("no marks", found)
