from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import REPORT, case, fires_for, look, site

LONG = "FINDINGS: " + "The lungs are clear. " * 101


@pytest.mark.parametrize(
    ("check", "report"),
    [
        ("report-empty", " \n"),
        ("report-headings-only", "FINDINGS:\nIMPRESSION:\n"),
        (
            "report-boilerplate",
            "This examination was reported electronically. Images are in the archive. Report to follow.",
        ),
        ("report-boilerplate", "FINDINGS: Dictated but not read."),
        ("report-short", "FINDINGS: Clear lungs."),
        ("report-long", LONG),
        ("report-control-characters", "FINDINGS: The \0heart is normal."),
        ("report-markup", "FINDINGS: <p>The heart is normal.</p>"),
        ("report-markup", r"{\rtf1 The heart is normal.}"),
        ("report-garbled", "FINDINGS: Herz normal groÃŸ, rÃ¶ntgen."),
        ("report-language", "BEFUND: Kein Erguss, kein Pneumothorax, das Herz ist nicht im Bereich der Norm."),
        ("report-truncated", "FINDINGS: The heart is of normal size and the lun"),
    ],
)
def test_a_report_at_fault_is_found_and_a_sound_one_is_not(check: str, report: str) -> None:
    assert fires_for(check, case(2, report=report), sound=20) == [2]


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("report-unreadable", "report-unreadable"),
        ("report-unreadable", "report-too-large"),
        ("report-markup", "report-not-text"),
        ("report-markup", "report-message"),
    ],
)
def test_a_report_that_cannot_be_used_is_found(check: str, reason: str) -> None:
    assert fires_for(check, case(2, report=None, report_fault=reason), case(3)) == [2]


def test_where_reports_have_no_full_stop_a_broken_word_tells() -> None:
    checklist = [case(10 + number, report="FINDINGS:\n- Pneumothorax right\n- Heart regular") for number in range(5)]
    assert fires_for("report-truncated", case(2, report="FINDINGS:\n- Heart regular\n- Pneumoth"), *checklist) == [2]


def test_a_report_with_findings_beside_boilerplate_is_sound() -> None:
    assert fires_for("report-boilerplate", case(2, report=REPORT + " Clinical correlation.")) == []


def test_reports_without_headings_are_told_where_they_are_most() -> None:
    free = [case(line, report="The heart is normal.") for line in (2, 3)]
    assert fires_for("section-coverage", *free, case(4)) == [2, 3]
    assert not look("section-coverage", site(*free, sound=2)).fired
