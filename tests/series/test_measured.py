"""The sum over series, and the table of a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.chaos.catalogue import TABLE
from tests.chaos.outcome import Outcome
from tests.deploy.deployed import Deployed


def test_counts_are_added_and_the_worst_time_counts() -> None:
    kills = Outcome(place="POC", injected=3, survived=2, recovery_seconds=41.0, failures=("before rename",))
    cuts = Outcome(place="provisioned, TLS", injected=2, survived=2, recovery_seconds=12.5)
    summed = Outcome.total([kills, cuts])
    assert (summed["injected"], summed["survived"], summed["recovery_seconds"]) == (5, 4, 41.0)
    assert tuple(summed) == Outcome.key_names()


def test_what_no_series_measured_is_none_and_not_zero() -> None:
    assert Outcome.total([Outcome(place="in-process", silent_loads=0)])["guards"] is None
    assert Outcome(place="in-process", silent_loads=0).numbers() == {"place": "in-process", "silent_loads": 0}


def test_what_is_kept_of_a_series_is_read_again() -> None:
    kept = Deployed(place="x", refused=1, failures=("one",), remarks=("two",), details={"bytes": 3})
    assert Deployed.read(json.loads(json.dumps(asdict(kept)))) == kept


@pytest.mark.parametrize(
    ("numbers", "fine"),
    [
        ({"refused": 3, "refused_expected": 3, "roles_right": 2, "roles_cells": 2, "canary_hits": 0}, True),
        ({"refused": 2, "refused_expected": 3}, False),
        ({"refused_expected": 3}, False),
        ({"roles_right": 1, "roles_cells": 2}, False),
        ({"modes_equal": 5, "modes_tried": 6}, False),
        ({"misconfigurations_found": 1, "misconfigurations_planted": 2}, False),
        ({"ledgers_found": 1, "ledgers_damaged": 2}, False),
        ({"canary_hits": 1}, False),
        ({"ledger_missing": 1}, False),
    ],
)
def test_a_number_that_is_too_low_or_not_zero_is_a_shortfall(numbers: dict[str, int], fine: bool) -> None:
    assert bool(Deployed(place="x", **numbers).shortfalls()) is not fine  # type: ignore[arg-type]


def test_the_table_of_the_page_is_replaced_between_its_marks() -> None:
    begin, end = "<!-- chaos: begin -->", "<!-- chaos: end -->"
    found = {"kills": {"place": "POC", "injected": 3, "survived": 2, "recovery_seconds": 41.0, "seconds": 9.0}}
    page = TABLE.written_into(f"before\n{begin}\nold\n{end}\nafter\n", found)
    assert "| kills | POC | 3 | 2 | recovery_seconds 41 |" in page
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "old" not in page
    with pytest.raises(ValueError, match="the page must have"):
        TABLE.written_into("no marks", found)


def test_the_table_of_the_page_is_the_same_when_it_is_written_again() -> None:
    page = Path("docs/reliability.md").read_text(encoding="utf-8")
    assert "\n| series | where | faults | survived | other numbers |\n|---|---|---|---|---|\n" in page
    assert TABLE.table({}) == "| series | where | faults | survived | other numbers |\n|---|---|---|---|---|\n"
