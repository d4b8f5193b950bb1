from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


def test_a_refusal_is_passed_on() -> None:
    found = look("manifest-refused", site(case(), refusal="study_id must be unique"))
    assert (found.fired, found.said) == (True, "study_id must be unique")
    assert not look("manifest-refused", site(case())).fired


def test_a_malformed_table_is_told() -> None:
    assert look("manifest-malformed", site(case(), malformed="not UTF-8")).fired


def test_missing_columns_are_named() -> None:
    evidence = site(case())
    assert not look("manifest-columns", evidence).fired
    assert look("manifest-columns", type(evidence)(("study_id", "report"), ())).said == "without patient_id, image"


@pytest.mark.parametrize("columns", [(), ("report", "report_path")])
def test_there_must_be_one_source_of_the_report(columns: tuple[str, ...]) -> None:
    evidence = type(site())(("study_id", "patient_id", "image", *columns), ())
    assert look("manifest-columns", evidence).said == f"{len(columns)} sources of the report"


def test_rows_without_identifiers_are_found() -> None:
    assert fires_for("missing-identifier", case(2), case(3, name=""), case(4, patient="")) == [3, 4]


def test_both_rows_of_a_study_are_found() -> None:
    assert fires_for("duplicate-study", case(2, name="a"), case(3), case(4, name="a")) == [2, 4]


def test_an_unknown_split_is_found() -> None:
    assert fires_for("unknown-split", case(2), case(3, split="training")) == [3]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "@A1", "-x"])
def test_a_formula_is_found(cell: str) -> None:
    assert fires_for("formula-cell", case(2), case(3, cells={"view": cell})) == [3]


@pytest.mark.parametrize("cell", ["-1.5", "+3", "-", "a=b", ""])
def test_a_number_is_no_formula(cell: str) -> None:
    assert fires_for("formula-cell", case(3, cells={"view": cell})) == []
