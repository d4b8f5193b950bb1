"""SECURITY.md: every threat is numbered, names known assets and actors, and every test that it names exists."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| ")]


def rows(letter: str) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in ROWS if re.fullmatch(rf"{letter}\d+", row[0])}


THREATS = rows("T")


@pytest.mark.parametrize(("letter", "least"), [("A", 6), ("P", 8), ("T", 15)])
def test_numbers_follow_each_other(letter: str, least: int) -> None:
    numbers = [int(name[1:]) for name in rows(letter)]
    assert len(numbers) >= least
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


@pytest.mark.parametrize("threat", THREATS)
def test_a_threat_has_assets_actors_a_defence_a_test_and_a_rest(threat: str) -> None:
    what, against, defence, test, remains = THREATS[threat]
    assert min(map(len, (what, defence, remains))) > 3
    named = set(re.findall(r"[AP]\d+", against))
    assert named <= rows("A").keys() | rows("P").keys()
    assert named or against == "all"
    if test == "none":
        assert defence == "none" or "policy" in defence
        return
    for path in re.findall(r"`([^`]+)`", test):
        files = [ROOT / path] if path.endswith(".py") else list((ROOT / path).rglob("*.py"))
        assert files
        assert all(file.is_file() for file in files)


def test_every_asset_and_actor_has_a_threat() -> None:
    text = " ".join(row[1] for row in THREATS.values())
    assert {name for name in rows("A") if name not in text} == {"A4"}  # the lead and the operator may read the results
    assert {name for name in rows("P") if name not in text} == set()
