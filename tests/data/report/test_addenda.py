from __future__ import annotations

import time
from pathlib import Path

import pytest

from fedaid.data.report.grammar import ENGLISH, of_words
from fedaid.data.report.grammar_file import read_grammar
from fedaid.data.report.sections import Report, report_text, sections

GRAMMARS = Path(__file__).parents[3] / "docs" / "report-grammars"
FINDINGS, NORMAL, ADDED = "No pneumothorax.", "Normal.", "There is a small pneumothorax."
REPORT = f"FINDINGS: {FINDINGS}\nIMPRESSION: {NORMAL}"
AMENDED = Report(FINDINGS, f"{NORMAL} {ADDED}", f"{FINDINGS} {NORMAL} {ADDED}", addenda=1)


@pytest.mark.parametrize(
    "report",
    [
        f"{REPORT}\n\nADDENDUM: {ADDED}", f"{REPORT} ADDENDUM: {ADDED}", f"{REPORT}\nAddendum #2 (4 May): {ADDED}",
        f"{REPORT}\n\n********** ADDENDUM **********\n{ADDED}", f"{REPORT}\nADDENDUM\n--------\n{ADDED}",
        f"{REPORT}\nADDENDUM {ADDED}", f"{REPORT}\nAddendum by A. on 3/4/21 10:15 AM: {ADDED}",
        f"{REPORT}\nADDENDM: {ADDED}",
        f"{REPORT}\nCorrection: {ADDED}", f"ADDENDUM: {ADDED}\n\n{REPORT}",
        f"   FINAL ADDENDUM\n {ADDED}\n______________\n   FINAL REPORT\n{REPORT}",
        f"ADDENDUM\n{ADDED}\nORIGINAL REPORT\n{REPORT}", f"ADDENDUM:\n{ADDED}\nEND OF ADDENDUM\n\n{REPORT}",
        f"ADDENDUM [DATE] [NAME]: {ADDED}\n{REPORT}", f"ADDENDUM BEGINS\n{ADDED}\nADDENDUM ENDS\n\n{REPORT}",
        f"{REPORT}\nATTENDING RADIOLOGIST ADDENDUM: {ADDED}", f"{REPORT}\nRadiology addendum:\n{ADDED}",
        f"{REPORT}\n[ADDENDUM] {ADDED}", f"{REPORT}\n<<< ADDENDUM >>>\n{ADDED}",
        f"EXAM: CXR\n\nADDENDUM REPORT:\n{ADDED}\n\nORIGINAL REPORT:\n{REPORT}",
        f"{REPORT}\nElectronically signed by: A. Quillon MD\n\nADDENDUM: {ADDED}\n\nSigned by: A. Quillon MD",
    ],
)  # fmt: skip
def test_an_addendum_joins_the_impression_wherever_it_stands(report: str) -> None:
    assert sections(report) == AMENDED


@pytest.mark.parametrize(
    ("language", "findings", "impression", "words"),
    [
        (
            "german",
            "Befund",
            "Beurteilung",
            ["Nachtrag", "NACHBEFUND", "Nachbericht vom 4.5.21", "Ergänzung", "Addendum"],
        ),
        ("french", "Résultat", "Conclusion", ["Complément", "COMPLEMENT DE COMPTE RENDU", "Addendum du 4/5/21"]),
        ("spanish", "Hallazgos", "Impresión", ["Adenda", "ADDENDUM", "Rectificación"]),
        ("dutch", "Bevindingen", "Conclusie", ["Aanvulling", "Addendum d.d. [DATE]", "Naschrift"]),
    ],
)
def test_addenda_are_known_in_every_shipped_grammar(
    language: str, findings: str, impression: str, words: list[str]
) -> None:
    grammar = read_grammar(GRAMMARS / f"{language}.yml")
    for word in words:
        report = f"{findings}: {FINDINGS}\n{impression}: {NORMAL}\n\n{word}: {ADDED}"
        assert sections(report, grammar) == AMENDED, word
        assert sections(report.replace(findings, "FINDINGS").replace(impression, "IMPRESSION"), ENGLISH) == AMENDED


def test_an_addendum_can_be_the_only_text() -> None:
    report = sections(f"EXAMINATION: Chest.\nINDICATION: Cough.\n\nADDENDUM: {ADDED}")
    assert (report.findings, report.impression, report.addenda) == ("", ADDED, 1)


def test_an_addendum_adds_to_a_report_without_headings() -> None:
    assert report_text(f"Clear lungs.\n\nADDENDUM: {ADDED}") == f"Clear lungs. {ADDED}"
    assert report_text(f"ADDENDUM: {ADDED}\n\nFINAL REPORT\nClear lungs.") == f"Clear lungs. {ADDED}"


def test_headings_in_an_addendum_keep_their_sections() -> None:
    report = sections(f"{REPORT}\nADDENDUM:\nFINDINGS: {ADDED}\nIMPRESSION: Pneumothorax.")
    assert (report.findings, report.impression, report.addenda) == (f"{FINDINGS} {ADDED}", "Normal. Pneumothorax.", 1)


def test_two_addenda_count_twice_and_an_empty_one_does_not() -> None:
    assert sections(f"{REPORT}\nADDENDUM: None.").addenda == 0
    assert sections(f"{REPORT}\nADDENDUM 1: {ADDED}\nADDENDUM 2: Told the ward.").addenda == 2


@pytest.mark.parametrize(
    "text", ["Read the addendum below.", "An addendum to follow.", "Korrektur der Sonde ist nötig."]
)
def test_the_word_in_running_text_is_no_addendum(text: str) -> None:
    assert sections(f"IMPRESSION: {text}") == Report("", text, text)


def test_a_site_may_give_an_addendums_word_a_section_and_add_words() -> None:
    grammar = of_words(findings=["Befund"], dropped=["Ergänzung"], addendum=["Zusatz"])
    report = sections("Befund: Klar.\nErgänzung: SECRET\nZusatz: Kleiner Erguss.", grammar)
    assert (report.findings, report.impression) == ("Klar.", "Kleiner Erguss.")


def test_many_addenda_are_read_in_time() -> None:
    start = time.monotonic()
    for piece in ("ADDENDUM ", "ADDENDUM: a\n", "Nachtrag vom 1 ", "ADDENDUM (", "***** ", "ADDENDUM to 1 "):
        report_text(piece * (20_000 // len(piece)))
    assert time.monotonic() - start < 15
