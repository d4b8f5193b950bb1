from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin.results.missed_rounds import NOTHING, WORDS, missed_in, missed_rounds, spans
from fedaid.flare.store.missed_phases import REASONS


def missed(number: int, site: str, reason: str, *, phase: str = "align", text: str = "") -> dict[str, Any]:
    return {"round": number, "phase": phase, "site": site, "reason": reason, "text": text}


def test_a_run_without_a_fault_needs_one_line() -> None:
    assert missed_rounds({"missed": [], "retries": [], "skipped_generations": {}}) == NOTHING
    assert missed_rounds({}) == NOTHING


def test_a_row_says_site_rounds_task_and_reason() -> None:
    found = [missed(number, "north", "silent") for number in (2, 3, 4, 7)]
    found += [missed(0, "lake", "out_of_memory", phase="pretrain")]
    assert missed_rounds({"missed": found}).splitlines() == [
        "site   rounds  task      reason",
        "lake   1       pretrain  out of memory",
        "north  3-5, 8  align     no answer in time",
    ]


def test_reasons_of_a_site_have_a_row_each() -> None:
    found = [missed(0, "lake", "silent"), missed(1, "lake", "error", text="data_root must be set")]
    text = missed_rounds({"missed": found})
    assert "lake  1       align  no answer in time" in text
    assert "lake  2       align  it could not work: data_root must be set" in text


def test_retries_and_skipped_generations_have_a_line() -> None:
    results = {
        "retries": [{"round": 1, "phase": "align", "sites": ["lake", "north"]}],
        "skipped_generations": {"round-00003": "hash"},
    }
    assert missed_rounds(results).splitlines() == [
        NOTHING,
        "Tried again: round 2, align, at lake and north.",
        "Skipped as damaged: round-00003 (hash).",
    ]


def test_every_code_has_words() -> None:
    assert WORDS.keys() == set(REASONS)


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="one of the reasons"):
        missed_rounds({"missed": [missed(0, "lake", "tired")]})


def test_a_run_folder_without_results_says_nothing(tmp_path: Path) -> None:
    assert missed_in(tmp_path) == ""
    file = tmp_path / "app_server" / "fedaid" / "results.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"missed": [missed(0, "lake", "killed")]}))
    assert missed_in(tmp_path).endswith("lake  1       align  its training process was killed")


def test_consecutive_rounds_are_a_span() -> None:
    assert spans([5, 1, 2, 3, 3, 7]) == "1-3, 5, 7"


def test_a_site_without_a_part_in_a_job_has_a_line() -> None:
    absent = [{"attempt": number, "site": "lake", "reason": "not authorized"} for number in (1, 2, 4)]
    absent += [{"attempt": 2, "site": "north", "reason": "it was not connected"}]
    assert missed_rounds({"absent": absent}).splitlines() == [
        "Without site lake in jobs 1-2, 4 of the run: not authorized.",
        "Without site north in job 2 of the run: it was not connected.",
    ]
