"""How a run with a fault is judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.chaos.processes.arrival_orders import order_of
from tests.chaos.processes.frozen_site import waited
from tests.chaos.processes.supervised import Ended, judged, outcome

WHOLE = Ended("aa", None, 0, "")


def ledger(store: Path, *lines: tuple[str, str, dict[str, Any]]) -> Path:
    """A ledger of lines with a time of day, a kind and more."""
    content = [{"kind": kind, "time": f"2026-01-01T10:00:{second}+00:00", **more} for second, kind, more in lines]
    (store / "ledger.jsonl").write_text("\n".join(map(json.dumps, content)))
    return store


def struck_at(folder: Path, second: int) -> Path:
    (folder / "done").write_text(str(1767261600.0 + second))  # 2026-01-01T10:00:00 UTC
    return folder / "done"


def test_a_run_survives_if_it_ends_with_the_same_bits_after_a_fault_that_struck() -> None:
    struck = {
        "one": Ended("aa", 20.0, 0, ""),
        "other bits": Ended("bb", 30.0, 1, ""),
        "no result": Ended("", 40.0, 0, "attempts are spent"),
        "no strike": Ended("aa", None, 0, ""),
    }
    found = outcome("POC", WHOLE, struck)
    assert (found.injected, found.survived, found.rounds_lost, found.distinct_hashes) == (4, 1, 1, 2)
    assert found.recovery_seconds == 40.0
    assert [why.split(":")[0] for why in found.failures] == ["other bits", "no result", "no strike"]


def test_recovery_ends_with_the_next_round_and_not_with_the_late_line_of_a_committed_one(tmp_path: Path) -> None:
    lines = [("01", "commit", {"round": 1}), ("20", "commit", {"round": 2, "recovered": True})]
    store = ledger(tmp_path, *lines, ("25", "best", {"round": 2}), ("31", "commit", {"round": 3}))
    ended = judged(None, store, struck_at(tmp_path, 5), "")
    assert (ended.recovery, ended.lost, ended.digest) == (26.0, 0, "")


def test_a_round_that_is_committed_again_was_lost(tmp_path: Path) -> None:
    store = ledger(tmp_path, ("01", "commit", {"round": 1}), ("09", "commit", {"round": 1}))
    assert judged(None, store, struck_at(tmp_path, 5), "").lost == 1


def test_waiting_counts_from_the_last_answer_of_each_gate_after_the_freeze(tmp_path: Path) -> None:
    before = [("01", "accept", {"site": "a"}), ("04", "close", {})]
    first = [("11", "accept", {"site": "a"}), ("16", "close", {})]
    second = [("20", "accept", {"site": "b"}), ("22", "close", {})]
    store = ledger(tmp_path, *before, *first, *second)
    struck_at(tmp_path, 10)
    assert waited(store, tmp_path) == 7.0
    assert order_of(store) == ("a", "a", "b")
