from __future__ import annotations

from pathlib import Path

from admin.results.report.card import exchange, refusals
from admin.results.report.run_files import RunFiles, read_run_files
from tests.admin.results.report.card_folder import change, without


def test_bytes_are_reported_by_round_and_task_and_summed(plain: RunFiles) -> None:
    found = exchange(plain)
    assert found["rows"][1] == {"round": 2, "task": "align", "down": 3_000_000, "up": 700}
    assert (found["down"], found["up"]) == (5_000_000, 1200)


def test_the_tenth_round_comes_after_the_second(run: Path) -> None:
    change(run, lambda results: results.update(bytes={"10": {"align": {}}, "2": {"align": {}}}))
    assert [row["round"] for row in exchange(read_run_files(run))["rows"]] == [3, 11]


def test_a_run_that_counted_none_says_so(run: Path) -> None:
    assert "did not record" in exchange(read_run_files(change(run, without("bytes"))))["missing"]


def test_a_refusal_is_reported_with_its_round_and_reason(plain: RunFiles) -> None:
    assert refusals(plain) == [{"round": 2, "site": "north", "reason": "an update of 3.0 norms above the others"}]
