from __future__ import annotations

import pytest

from admin.site.prepare.imaged_study import key
from admin.site.prepare.records import Record
from admin.site.prepare.tables.spreadsheet_numbers import is_scientific, rounded, without_rounded
from fedaid.data.pseudonym import Pseudonyms

NAMES = Pseudonyms(bytes(range(32)))


@pytest.mark.parametrize("number", ["2.02E+15", "2,02103E+15", "2E+15", " 1.5e+3 ", "2.02E15"])
def test_an_exponent_shows_lost_digits(number: str) -> None:
    assert is_scientific(number)


@pytest.mark.parametrize("number", ["E15", "2E15", "1234", "A2.02E+15", "2.02", "12E34"])
def test_other_numbers_have_none(number: str) -> None:
    assert not is_scientific(number)


def test_long_numbers_that_all_end_in_zeros_are_rounded() -> None:
    numbers = {f"20210304{n:07d}000" for n in range(1, 4)}
    assert rounded(numbers | {"17"}) == numbers
    assert rounded(numbers | {"202103040000000012"}) == frozenset()
    assert rounded({"2021030400000010"}) == frozenset()


def test_rounded_numbers_match_nothing_unless_films_have_them() -> None:
    numbers = [f"20210304{n:07d}000" for n in range(1, 4)]
    records = [Record(keys=(("accession", number),), name="r", patient="2.0E+9") for number in numbers]
    clean, lost, patients = without_rounded(records, {key("accession", numbers[0], NAMES)}, NAMES)
    assert (lost, patients) == (3, 3)
    assert [(one.keys, one.patient) for one in clean] == [((), "")] * 3
    kept, lost, _ = without_rounded(records, {key("accession", number, NAMES) for number in numbers}, NAMES)
    assert lost == 0
    assert [one.keys for one in kept] == [one.keys for one in records]
