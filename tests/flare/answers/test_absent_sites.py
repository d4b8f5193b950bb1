"""A job that starts without a hospital: the results and the person who watches learn it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fedaid.flare.answers.absent_sites import FILE, LEFT, absent_sites
from fedaid.flare.store.missed_phases import AbsentSite, absent_of
from tests.flare.conftest import Federation

Make = Callable[..., Federation]


def test_the_results_name_a_site_without_a_part_in_the_job(federation: Make) -> None:
    made = federation(num_rounds=1)
    (made.app.parent / FILE).write_text(json.dumps({"north": "ERROR: not\n authorized", "site-a": "late"}))
    made.run()
    results = json.loads((made.store / "results.json").read_text())
    assert results["absent"] == [{"attempt": 1, "site": "north", "reason": "ERROR: not authorized"}]


def test_the_results_of_a_job_with_all_sites_say_so_too(federation: Make) -> None:
    made = federation(num_rounds=1)
    made.run()
    assert json.loads((made.store / "results.json").read_text())["absent"] == []


def test_a_withdrawn_site_is_named(tmp_path: Path) -> None:
    found = absent_sites(tmp_path, present=["a", "b"], without=["b"], attempt=3)
    assert found == [AbsentSite(3, "b", LEFT)]


@pytest.mark.parametrize("content", ["", "[]", "{", "7", "null"])
def test_a_damaged_note_says_nothing(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    assert absent_sites(tmp_path, present=[], without=[], attempt=1) == []


@pytest.mark.parametrize(
    "entry", [{"attempt": 0, "site": "a", "reason": ""}, {"attempt": 1, "site": 7, "reason": ""}, {"site": "a"}]
)
def test_an_entry_of_another_kind_is_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="absent"):
        absent_of({"absent": [entry]})
