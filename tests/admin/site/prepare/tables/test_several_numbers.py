from __future__ import annotations

import pytest

from admin.site.prepare.imaged_study import key
from admin.site.prepare.records import Record
from admin.site.prepare.tables.several_numbers import numbers_of, with_single_numbers
from fedaid.data.pseudonym import Pseudonyms

NAMES = Pseudonyms(bytes(range(32)))
KNOWN = {key("accession", number, NAMES) for number in ("K0007", "K0008", "12 34", "2021/0001", "2021", "77", "88")}


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        *((f"K0007{sign}K0008", ["K0007", "K0008"]) for sign in (", ", ";", "\\", "/", " & ", "\n", "+", " ", " und ")),
        ("K0007, K0008 and K0009", ["K0007", "K0008", "K0009"]),
        ("K0007,K0007", ["K0007"]),
        ("77 / 88", ["77", "88"]),
        ("12 34", ["12 34"]),
        ("2021/0001", ["2021/0001"]),
        ("2021/0002", ["2021/0002"]),
        ("CR/2021/0001", ["CR/2021/0001"]),
        ("K0007-K0009", ["K0007-K0009"]),
        ("K0007, 08", ["K0007, 08"]),
        ("K0007/08", ["K0007/08"]),
        ("K0007, see below", ["K0007, see below"]),
        ("Doe, Jane", ["Doe, Jane"]),
        ("K0009", ["K0009"]),
    ],
)
def test_a_cell_is_divided_only_if_its_parts_can_be_nothing_else(cell: str, numbers: list[str]) -> None:
    assert numbers_of(cell, KNOWN, NAMES) == numbers


def test_each_number_gets_the_report_and_a_name_of_its_own() -> None:
    record = Record(keys=(("accession", "K0007; K0008"), ("stem", "x")), name="r.csv, row 4", text="Clear.")
    single, divided, unclear = with_single_numbers(
        [record, Record(keys=(("accession", "77"),), name="r")], KNOWN, NAMES
    )
    assert (divided, unclear) == (1, [])
    assert [one.keys[0][1] for one in single] == ["K0007", "K0008", "77"]
    assert [one.name for one in single][:2] == ["r.csv, row 4, number 1 of 2", "r.csv, row 4, number 2 of 2"]
    assert all(one.text == "Clear." for one in single[:2])


@pytest.mark.parametrize("cell", ["K0007-K0009", "K0007, 08", "K0007/08", "K0007 bis 9"])
def test_a_range_or_an_abbreviation_is_named_and_pairs_with_nothing(cell: str) -> None:
    single, divided, unclear = with_single_numbers([Record(keys=(("accession", cell),), name="r")], KNOWN, NAMES)
    assert (single, divided, [bad.reason for bad in unclear]) == ([], 0, ["number-list"])


@pytest.mark.parametrize("cell", ["CR-2021-0001", "K0009-2", "2021/0001", "12 34"])
def test_a_number_with_signs_is_none(cell: str) -> None:
    records = [Record(keys=(("accession", cell),), name="r")]
    assert with_single_numbers(records, KNOWN, NAMES) == (records, 0, [])
