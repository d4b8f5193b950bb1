from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hospital_policy.rules import PolicyFault, Rules, read_rules

NOISE: dict[str, Any] = {"clip": 1.0, "noise": 0.8, "epsilon": 8.0, "statistics": "withhold"}
BAD: list[dict[str, Any]] = [
    {"min_studies": 0},
    {"min_studies": 2.5},
    {"min_studies": True},
    {"clip": 0},
    {"clip": -1.0},
    {"clip": float("nan")},
    {"clip": "1"},
    {"statistics": "keep"},
    {"noise": -0.1},
    {"noise": float("inf")},
    {"delta": 0},
    {"delta": 1},
    {"epsilon": 8.0},
    NOISE | {"clip": None},
    NOISE | {"epsilon": None},
    NOISE | {"statistics": "send"},
]


def test_rules_come_back_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(Rules(**NOISE).as_dict()))
    assert read_rules(file) == Rules(**NOISE)


@pytest.mark.parametrize("change", BAD)
def test_a_rule_that_is_not_valid_is_refused_with_its_name(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PolicyFault, match=r"must be .*hospital_policy.json"):
        Rules(**change)
    (tmp_path / "rules.json").write_text(json.dumps(Rules().as_dict() | change))
    with pytest.raises(PolicyFault):
        read_rules(tmp_path / "rules.json")


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"clip": 1}', '{"Clip": 1.0}', "[" * 5000])
def test_a_file_that_is_not_whole_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(PolicyFault):
        read_rules(tmp_path / "rules.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyFault, match="FileNotFoundError"):
        read_rules(tmp_path / "rules.json")
