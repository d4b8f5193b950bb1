from __future__ import annotations

import pytest

from admin.site.prepare.imaged_study import ZEROS_KIND, ImagedStudy, ImageFile, imaged_studies, key, near_hashes
from admin.site.prepare.records import FILE_NAME, Record
from admin.site.prepare.scan import Found
from admin.site.prepare.tables.near_matches import accession_hints, match_without_zeros, patient_hints
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.spelling import bare, likely_same
from fedaid.errors import InputError

NAMES = Pseudonyms(bytes(range(32)))


def films(*numbers: tuple[str, str]) -> list[ImagedStudy]:
    """Studies of these accession numbers and patients."""
    files = [
        ImageFile(
            file=f"f{place}", stamp="1", reason=None, patient=NAMES.patient(patient),
            study=key("study", f"1.2.{place}", NAMES), accession=key("accession", accession, NAMES),
            near_accession=near_hashes(accession, bare(accession), NAMES),
            near_patient=near_hashes(patient, likely_same(patient), NAMES),
        )
        for place, (accession, patient) in enumerate(numbers)
    ]  # fmt: skip
    return imaged_studies([(Found(f"{place}.png", "1"), file) for place, file in enumerate(files)], NAMES)


def table(*numbers: tuple[str, str]) -> list[Record]:
    return [Record(keys=(("accession", accession),), name="r", patient=patient) for accession, patient in numbers]


@pytest.mark.parametrize(
    ("film", "cell", "form"),
    [
        ("00712", "712", "without leading zeros"),
        ("712", "00712", "without leading zeros"),
        ("712", "712.0", "without the ending '.0'"),
        ("712", "712,00", "without the ending '.0'"),
        ("00712", "712.0", "without the ending '.0' and leading zeros"),
        ("RX-7/12", "RX712", "without dashes, dots and other marks"),
        ("1234567", "1.234.567", "without dashes, dots and other marks"),
        ("712", "1.2.0", "as StudyInstanceUID"),
        ("712", "0.png", "as name of an image file"),
    ],
)
def test_one_sentence_says_what_would_match(film: str, cell: str, form: str) -> None:
    studies = films((film, "p"), ("A", "q"))
    (hint,) = accession_hints(studies, table((cell, ""), ("a", ""), ("B", "")), NAMES)
    assert hint.startswith(f"1 of 3 accession numbers match {form}. ")
    assert film not in hint


@pytest.mark.parametrize(
    ("film", "cell", "form"),
    [
        ("00712", "712", "without leading zeros"),
        ("712", "712.0", "without the ending '.0'"),
        ("00712", "712.0", "without the ending '.0' and leading zeros"),
        ("PAT-7", "pat 7", "without blanks, dashes and other marks"),
    ],
)
def test_patients_have_their_own_sentence(film: str, cell: str, form: str) -> None:
    studies, records = films(("A", film)), table(("A", cell))
    assert accession_hints(studies, records, NAMES) == []
    (hint,) = patient_hints(studies, records, NAMES)
    assert hint.startswith(f"1 of 1 patients match {form}. ")


@pytest.mark.parametrize("cell", ["12. Mär", "Mar 21", "03.12.2020", "2020-12-03 00:00:00", "3-Dez-20"])
def test_numbers_that_became_dates_are_named(cell: str) -> None:
    (hint,) = accession_hints(films(("3-12", "p")), table((cell, "")), NAMES)
    assert hint.startswith("1 of 1 accession numbers look like dates. ")


def test_without_zeros_a_file_name_matches_too() -> None:
    records = [Record(keys=((FILE_NAME, "7"),), name="r"), Record(keys=((FILE_NAME, "1.2.5"),), name="r")]
    _, changed = match_without_zeros(films(("007", "p")), records, NAMES)
    assert [one.keys for one in changed] == [((ZEROS_KIND, "7"),), ((FILE_NAME, "1.2.5"),)]


def test_what_matches_or_never_would_gives_no_sentence() -> None:
    studies = films(("A1", "p"))
    assert accession_hints(studies, table(("a 1", "P"), ("Z", "q")), NAMES) == []
    assert patient_hints(studies, table(("a1", "P"), ("Z", "q")), NAMES) == []


def test_without_zeros_both_sides_share_a_key() -> None:
    studies, records = match_without_zeros(films(("007", "p"), ("X", "q")), table(("7", ""), ("X", "")), NAMES)
    hashes = [{key(*one, NAMES) for one in record.keys} for record in records]
    assert [bool(hashes[n] & set(studies[n].keys)) for n in range(2)] == [True, True]
    assert records[1].keys == (("accession", "X"),)


@pytest.mark.parametrize(
    ("film", "cells", "what"),
    [
        ([("007", "p"), ("7", "q")], [("7", "")], "1 accession numbers"),
        ([("007", "p")], [("07", ""), ("7", "")], "1 accession numbers"),
        ([("A", "01"), ("B", "1")], [("A", "")], "1 patients"),
        ([("A", "x")], [("A", "01"), ("B", "1")], "1 patients"),
    ],
)
def test_two_numbers_never_become_equal(film: list[tuple[str, str]], cells: list[tuple[str, str]], what: str) -> None:
    with pytest.raises(InputError, match=f"not make two numbers equal, got {what}"):
        match_without_zeros(films(*film), table(*cells), NAMES)
