"""Events written by hand: what cannot have happened is a fault."""

from __future__ import annotations

from typing import Any

import pytest

from admin.results.ledger_check import replay_faults
from admin.results.ledger_rounds import LedgerRounds

Events = list[dict[str, Any]]
SITES = ["lake", "north"]
GATE = {"round": 1, "phase": "train"}


def start(**changes: Any) -> dict[str, Any]:
    return {"kind": "start", "attempt": 1, "after": 0, "min_clients": 2, "skipped": []} | changes


def a_round(number: int = 1, **commit: Any) -> Events:
    gate = {"round": number, "phase": "train"}
    return [
        {"kind": "open", **gate, "sites": SITES},
        *({"kind": "accept", **gate, "site": site} for site in SITES),
        {"kind": "close", **gate, "inputs": SITES},
        {"kind": "commit", "round": number, "sha256": f"{number}", "inputs": SITES} | commit,
    ]


def faults(events: Events) -> list[str]:
    """Faults of the rounds; those of a run's files are of another test."""
    rounds = LedgerRounds()
    for event in events:
        try:
            rounds.read(event)
        except ValueError as fault:
            rounds.faults.append(str(fault))
    return rounds.faults


def test_rounds_in_order_have_no_fault() -> None:
    refused = {"kind": "refuse", **GATE, "site": "east", "reason": "norm"}
    events = [start(), refused, *a_round(), *a_round(2), {"kind": "best", "round": 2, "sha256": "2"}]
    assert faults(events) == []


def test_a_job_that_continues_does_the_broken_round_again() -> None:
    broken = a_round(2)[:3]
    assert faults([start(), *a_round(), *broken, start(attempt=2, after=1), *a_round(2)]) == []


def test_a_damaged_round_is_done_again_if_the_job_says_so() -> None:
    events = [start(), *a_round(), *a_round(2)]
    assert faults([*events, start(attempt=2, after=1, skipped=["round-00002"]), *a_round(2)]) == []
    expected = ["the job continues after round 1, and round 2 was not skipped as damaged"]
    assert faults([*events, start(attempt=2, after=1), *a_round(2)]) == expected


def test_an_answer_that_was_withdrawn_is_no_input() -> None:
    events = a_round()
    withdraw = {"kind": "withdraw", **GATE, "site": "north", "reason": "larger-than-others"}
    good = [*events[:3], withdraw, {"kind": "close", **GATE, "inputs": ["lake"]}]
    commit = events[-1]
    assert faults([start(min_clients=1), *good, commit | {"inputs": ["lake"]}]) == []
    assert faults([start(min_clients=1), *good, commit]) == ["round 1 has an input of north, which was not accepted"]


def after(events: Events, place: int, *more: dict[str, Any]) -> Events:
    return [*events[:place], *more, *events[place:]]


ROUND = a_round()
LATE = {"kind": "accept", **GATE, "site": "lake"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (after(ROUND, 4, LATE), "site lake was accepted, but the gate is closed"),
        ([*ROUND, LATE], "site lake was accepted, but the gate is closed"),
        (after(ROUND, 3, LATE), "site lake was accepted twice"),
        (after(ROUND, 3, LATE | {"site": "east"}), "site east was accepted, but not asked"),
        (
            after(ROUND, 3, LATE | {"phase": "align", "site": "north"}),
            "site north was accepted, but the gate is closed",
        ),
        (after(ROUND, 2, ROUND[0] | {"retry": True}), "a second try asks a site that has answered"),
        (after(ROUND, 1, LATE | {"kind": "withdraw"}), "only an accepted answer is withdrawn"),
        (after(ROUND, 4, ROUND[3]), "a gate closes that is not open"),
        ([*ROUND[:2], *ROUND[3:]], "the gate closes with other sites than it has accepted"),
        (a_round(inputs=["east", *SITES]), "round 1 has an input of east, which was not accepted"),
        (a_round(inputs=["lake"]), "round 1 has fewer inputs than min_clients"),
        ([ROUND[-1]], "round 1 is committed, but no gate of it has closed"),
        (after(ROUND, 4, ROUND[0]), "round 1 is committed while a gate is open"),
        ([*ROUND, ROUND[-1]], "round 1 is committed after round 1"),
        (a_round(2), "round 2 is committed after round 0"),
        ([*ROUND, {"kind": "best", "round": 1, "sha256": "x"}], "a round was committed again with another model"),
        ([start(attempt=2), start()], "an attempt cannot follow a later one"),
        ([start(after=3)], "the job continues after round 3, but round 0 is the last one committed"),
    ],
)
def test_what_cannot_have_happened_is_a_fault(events: Events, expected: str) -> None:
    assert expected in faults([start(), *events])


def test_a_line_without_its_fields_is_a_fault_and_not_an_error(tmp_path: Any) -> None:
    (tmp_path / "ROUND").write_text("round-00000")
    (tmp_path / "round-00000").mkdir()
    (tmp_path / "round-00000" / "run.json").write_text("{}")
    (tmp_path / "round-00000" / "model.safetensors").write_text("")
    lines: Events = [{"kind": "open"}, {"kind": "unknown"}, {}, {"kind": "accept", "round": 1, "phase": [], "site": []}]
    found = replay_faults(lines, {"round": 0, "history": []}, tmp_path)
    assert found[:3] == [f"line {number} does not have the fields of its kind" for number in (1, 2, 3)]
    assert found[3].startswith("line 4")
