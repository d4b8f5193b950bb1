from __future__ import annotations

import pytest

from fedaid.data.spelling import bare, likely_same, plain, same_patients, spelt_twice, without_point_zero, without_zeros


@pytest.mark.parametrize(
    ("identifier", "zeros", "point", "letters"),
    [
        ("0012", "12", "0012", "12"),
        ("12.0", "12.0", "12", "12"),
        ("12,00", "12,00", "12", "12"),
        ("0012.0", "12.0", "0012", "12"),
        ("000", "0", "000", "0"),
        ("A-0 7/b", "a-07/b", "a-07/b", "a07b"),
        ("A0012", "a0012", "a0012", "a0012"),
        ("1.20", "1.20", "1.20", "120"),
    ],
)
def test_each_form_leaves_out_one_thing(identifier: str, zeros: str, point: str, letters: str) -> None:
    assert (without_zeros(identifier), without_point_zero(identifier), bare(identifier)) == (zeros, point, letters)


def test_plain_has_no_case_no_blanks_and_no_zero_bytes() -> None:
    assert plain(" Ａb\0 1\u00a0") == "ab1"


@pytest.mark.parametrize(
    "spellings",
    [("12345", "12345.0", "0012345", " 12345 ", "12345,00"), ("pat-7", "PAT-7", "Pat 7", "pat_07", "PAT.007")],
)
def test_spellings_of_one_patient_share_a_form(spellings: tuple[str, ...]) -> None:
    assert len({likely_same(one) for one in spellings}) == 1


@pytest.mark.parametrize(("one", "other"), [("1-12", "11-2"), ("12", "120"), ("p1", "q1"), ("1", "10"), ("a1", "a11")])
def test_other_patients_do_not(one: str, other: str) -> None:
    assert likely_same(one) != likely_same(other)


def test_a_family_goes_by_its_first_spelling() -> None:
    assert same_patients(["7", "07", "", "8"]) == {"07": "07", "7": "07", "8": "8"}
    assert spelt_twice(["7", "07", "8", "8"]) == {"07", "7"}
