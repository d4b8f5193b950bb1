from __future__ import annotations

from tests.admin.site.doctor.evidence_of import case, facts, fires_for, look, site

FOUND = "FINDINGS: Large left effusion with collapse of the lower lobe and a shift to the right."


def test_equal_pictures_are_found() -> None:
    same = [case(line, picture=facts(fingerprint=12345 << 100)) for line in (2, 3)]
    other = case(4, picture=facts(fingerprint=(1 << 256) - 1))
    assert fires_for("duplicate-image", *same, other) == [2, 3]
    assert fires_for("image-across-splits", *same, other) == []


def test_a_picture_on_two_sides_of_the_split_is_an_error() -> None:
    one, two = case(2, picture=facts()), case(3, picture=facts(), split="test")
    assert fires_for("image-across-splits", one, two) == [2, 3]


def test_one_report_with_findings_for_two_patients_is_found() -> None:
    one, two = (case(line, report=FOUND, labels=("Pleural Effusion",)) for line in (2, 3))
    assert fires_for("duplicate-report", one, two, case(4)) == [2, 3]


def test_one_report_for_two_studies_of_a_patient_is_not() -> None:
    one, two = (case(line, report=FOUND, labels=("Pleural Effusion",), patient="p") for line in (2, 3))
    assert fires_for("duplicate-report", one, two) == []


def test_normal_reports_and_short_ones_may_be_equal() -> None:
    assert fires_for("duplicate-report", case(2), case(3)) == []
    one, two = (case(line, report="Left effusion.", labels=("Pleural Effusion",)) for line in (2, 3))
    assert fires_for("duplicate-report", one, two) == []


def test_a_normal_report_is_none_with_findings_because_a_study_has_no_label() -> None:
    assert fires_for("duplicate-report", case(2), case(3), case(4, labels=())) == []
    assert fires_for("duplicate-report", case(2, labels=()), case(3, labels=())) == [2, 3]


def test_texts_that_differ_in_case_and_blanks_are_one() -> None:
    found = look("repeated-texts", site(case(2, report="No effusion."), case(3, report="NO  effusion."), case(4)))
    assert [one.line for one in found.cases] == [2, 3]
    assert found.fired
