from __future__ import annotations

import csv
from pathlib import Path

import pytest

from admin.site.prepare.quarantine import REMEDIES, Bad, counts, unquoted, write_quarantine


def test_each_line_has_its_remedy_and_no_name_is_a_formula(tmp_path: Path) -> None:
    bad = [Bad("pair-no-image", "=1+1"), Bad("image-crash", "a\nb,\udcff")]
    write_quarantine(tmp_path / "q.csv", bad)
    with (tmp_path / "q.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["code"] for line in lines] == ["image-crash", "pair-no-image"]
    assert [line["name"] for line in lines] == ["a\nb,\\udcff", "'=1+1"]
    assert all(line["remedy"] == REMEDIES[line["code"]] for line in lines)


def test_every_remedy_is_one_sentence() -> None:
    assert all(text.endswith(".") and ". " not in text for text in REMEDIES.values())


def test_counts_are_by_reason() -> None:
    assert counts([Bad("b", "x"), Bad("a", "y"), Bad("b", "z")]) == {"a": 1, "b": 2}


def test_no_name_shows_in_a_repr() -> None:
    assert "DOE" not in repr(Bad("image-crash", "DOE^JANE"))


@pytest.mark.parametrize("name", ["=x", "plain", "'quoted", "a,b\n", "@"])
def test_a_name_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    write_quarantine(tmp_path / "q.csv", [Bad("image-crash", name)])
    with (tmp_path / "q.csv").open(newline="") as file:
        assert [unquoted(row["name"]) for row in csv.DictReader(file)] == [name]
