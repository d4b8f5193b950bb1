from __future__ import annotations

from dataclasses import replace

import pytest

from admin.site.prepare.messages.versions import Versions, last_versions
from admin.site.prepare.records import Record
from fedaid.data.report.grammar import ENGLISH


def version(text: str, status: str = "", written: str = "", *, line: str = "", number: str = "A1") -> Record:
    return Record(keys=(("accession", number),), name=text, text=text, status=status, written=written, line=line)


def left(*records: Record) -> list[str]:
    return [record.fault or record.report() for record in last_versions(records, ENGLISH).records]


EARLY, FIRST, SECOND = version("early", "preliminary"), version("first", "final"), version("second", "final")
AMENDED = version("changed", "Corrected")


def test_the_last_final_version_counts_whatever_the_order_of_the_rows() -> None:
    for given in ((EARLY, FIRST), (FIRST, EARLY)):
        assert left(*given) == ["first"]
        assert last_versions(given, ENGLISH).superseded == 1
    assert left(EARLY, AMENDED, FIRST) == ["changed"]


def test_reports_of_other_studies_stay() -> None:
    assert left(EARLY, version("other", "final", number="A2")) == ["early", "other"]
    assert left(version("a", number=""), version("b", number="")) == ["a", "b"]


def test_a_report_alone_stays_whatever_its_status() -> None:
    assert left(EARLY) == ["early"]
    assert left(version("a", "no such status")) == ["a"]


@pytest.mark.parametrize(
    "given", [(FIRST, SECOND), (FIRST, version("x")), (FIRST, version("x", "A")), (EARLY, version("y", "draft"))]
)
def test_versions_stay_where_the_status_does_not_decide(given: tuple[Record, ...]) -> None:
    assert last_versions(given, ENGLISH) == Versions(list(given))


def test_of_two_final_versions_the_later_one_counts_if_both_state_a_clear_time() -> None:
    def at(first: str, second: str) -> list[str]:
        return left(replace(FIRST, written=first), replace(SECOND, written=second))

    assert at("20230102", "20230103") == at("1", "2") == ["second"]
    assert at("2023-01-03 10:00", "2023-01-03 09:00") == ["first"]
    assert at("01/02/2023", "02/01/2023") == at("20230102", "") == at("20230102", "20230102") == ["first", "second"]
    assert left(replace(AMENDED, written="1"), replace(FIRST, written="2")) == ["first"]


def test_the_same_text_twice_is_one_report() -> None:
    assert left(version("Clear.\n"), version("Clear. ")) == ["Clear. "]


def test_a_banner_in_the_text_is_a_status() -> None:
    early, final = version("PRELIMINARY REPORT\nFINDINGS: Clear."), version("FINAL REPORT\nFINDINGS: Effusion.")
    assert left(early, final) == [final.text]


def test_an_addendum_joins_its_report_and_one_that_repeats_it_replaces_it() -> None:
    added = version("Small effusion.", "addendum", "3")
    assert left(FIRST, added) == ["first\n\nADDENDUM: Small effusion."]
    assert left(FIRST, version("first\nADDENDUM: b", "Addendum")) == ["first\nADDENDUM: b"]
    later = version("Gone.", "Addendum", "4")
    assert left(later, added, FIRST) == ["first\n\nADDENDUM: Small effusion.\n\nADDENDUM: Gone."]
    assert left(added, later) == ["Small effusion.", "Gone."]


def test_a_report_that_was_withdrawn_is_not_used() -> None:
    gone = version("wrong", "entered in error")
    assert left(gone) == ["report-withdrawn"]
    assert left(FIRST, gone) == ["first", "wrong"]
    first, gone = replace(FIRST, written="1"), replace(gone, written="2")
    assert left(first, gone) == ["report-withdrawn"]
    assert left(first, gone, replace(SECOND, written="3")) == ["second"]


ROWS = (version("FINDINGS: Large heart."), version("Congestion."), version("IMPRESSION: Failure."))


def test_rows_that_headings_divide_are_one_report() -> None:
    joined = last_versions((*ROWS, version("x", number="A2")), ENGLISH)
    assert [record.report() for record in joined.records] == [
        "FINDINGS: Large heart.\nCongestion.\nIMPRESSION: Failure.",
        "x",
    ]
    assert (joined.joined, joined.superseded) == (2, 0)


def test_rows_that_a_column_numbers_are_one_report() -> None:
    rows = [version(text, line=line) for text, line in (("b", "2"), ("a", "1"), ("c", "3"))]
    assert left(*rows) == ["a\nb\nc"]
    assert len(left(*(replace(row, line=f"1{row.line}") for row in rows))) == 3


def test_rows_that_may_be_two_reports_stay() -> None:
    assert len(left(ROWS[0], version("FINDINGS: Normal heart."))) == 2
    assert len(left(ROWS[0], version("IMPRESSION: a"), version("IMPRESSION: b"))) == 3
    assert len(left(ROWS[0], version("x", number="A2"), ROWS[2])) == 3
    assert len(left(version("Clear."), version("Effusion."))) == 2


def test_one_number_for_two_patients_has_no_versions() -> None:
    given = [replace(EARLY, patient="1"), replace(FIRST, patient="2")]
    assert last_versions(given, ENGLISH) == Versions(given)
    same = [replace(version("Clear."), patient=patient) for patient in ("1", "2")]
    assert len(last_versions(same, ENGLISH).records) == 2
