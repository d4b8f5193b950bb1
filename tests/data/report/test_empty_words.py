from __future__ import annotations

import pytest

from fedaid.data.report.empty_words import says_nothing
from fedaid.data.report.sections import report_text, sections


@pytest.mark.parametrize(
    "section",
    [
        "", "nan", "NaN", "NULL", "N/A", "n.a.", "#N/A", "<NA>", "None.", "(none)", "-", ".", "[]", "{}", "___",
        "'nan'", "TBD",
        "See report", "See above.", "Please see the full report.", "Not available", "Report to follow.", "As above",
        "Report not available", "No dictation available", "kein Befund vorhanden", "o.A.", "#ERROR!", "unread",
        "nicht beurteilt", "Siehe Bericht", "s.o.", "k. A.", "entfällt", "Befund folgt",
        "Néant.", "Non renseigné", "voir compte-rendu", "en attente", "Ver informe", "No valorado.", "Pendiente",
        "n.v.t.", "zie verslag", "Niet beoordeeld", "Geen.",
    ],
)  # fmt: skip
def test_a_section_that_says_nothing_is_empty(section: str) -> None:
    assert says_nothing(section)
    report = sections(f"FINDINGS: {section}\n\nIMPRESSION: Small effusion.")
    assert (report.findings, report.impression) == ("", "Small effusion.")
    assert report_text(f"FINDINGS: {section}\n\nIMPRESSION: {section}") == report_text(section) == ""


@pytest.mark.parametrize(
    "section",
    [
        "Normal.", "Negative", "Clear", "o.B.", "Ohne Befund", "RAS", "sin hallazgos", "Geen afwijkingen",
        "Keine Infiltrate",
        "None of the nodules grew.", "No change.", "See report of CT: the nodule grew.", "Rien à signaler",
        "Stable.", "Same.",
    ],
)  # fmt: skip
def test_a_short_finding_is_no_empty_word(section: str) -> None:
    assert not says_nothing(section)
    assert report_text(f"FINDINGS: {section}") == section
