from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.report.grammar import ENGLISH
from fedaid.data.report.grammar_file import read_grammar
from fedaid.data.report.heading_spelling import corrected
from fedaid.data.report.sections import sections

GRAMMARS = Path(__file__).parents[3] / "docs" / "report-grammars"
FINDINGS, NORMAL = "The left lung is clear.", "No acute disease."
BELOW = f"IMPRESSION: {NORMAL}"


@pytest.mark.parametrize(
    "title",
    [
        "CHEST, PA AND LATERAL:", "PORTABLE AP CHEST:", "RADIOGRAPH OF THE CHEST.", "Chest x-ray (2 views):", "CXR -",
        "Frontal and lateral views of the chest:", "XR CHEST 1 VIEW", "CHEST PA AND LATERAL\n\n",
        "TWO VIEWS OF THE CHEST:\n",
        "CHEST X-RAY FINDINGS:", "FINDINGS ON CHEST RADIOGRAPH:", "Narrative\n",
        "XR CHEST PA AND LATERAL [DATE] [TIME]:",
        "CHEST (PORTABLE) 12/3/2020 05:30:", "AP portable chest radiograph.",
        "RESULT:", "RESULTS:", "DESCRIPTION:", "Comment:",
        "CT CHEST WITHOUT CONTRAST:",
    ],
)  # fmt: skip
@pytest.mark.parametrize("above", ["INDICATION: SECRET\n\n", "HISTORY: SECRET\nCOMPARISON: SECRET\n\n", ""])
def test_the_name_of_the_examination_heads_the_findings(title: str, above: str) -> None:
    report = sections(f"{above}{title} {FINDINGS}\n\n{BELOW}")
    assert (report.findings, report.impression) == (FINDINGS, NORMAL)


@pytest.mark.parametrize(
    ("language", "title", "impression"),
    [
        ("german", "Röntgen Thorax in 2 Ebenen:", "Beurteilung"),
        ("german", "Thorax p.a. und seitlich:", "Beurteilung"),
        ("french", "Radiographie thoracique de face :", "Conclusion"),
        ("french", "RADIOGRAPHIE DU THORAX :", "Conclusion"),
        ("spanish", "Rx de tórax PA y lateral:", "Impresión"), ("spanish", "Radiografía de tórax:", "Impresión"),
        ("dutch", "Uitslag:", "Conclusie"),
        ("dutch", "X-thorax in twee richtingen:", "Conclusie"), ("dutch", "Thoraxfoto:", "Conclusie"),
    ],
)  # fmt: skip
def test_so_it_does_in_the_languages_of_the_shipped_grammars(language: str, title: str, impression: str) -> None:
    report = sections(f"{title} {FINDINGS}\n\n{impression}: {NORMAL}", read_grammar(GRAMMARS / f"{language}.yml"))
    assert (report.findings, report.impression) == (FINDINGS, NORMAL)


def test_it_is_no_heading_where_the_report_has_findings_or_within_the_impression() -> None:
    report = sections(f"CHEST, TWO VIEWS: SECRET\nFINDINGS: {FINDINGS}\nIMPRESSION:\nChest x-ray: normal.")
    assert (report.findings, report.impression) == (FINDINGS, "Chest x-ray: normal.")
    assert sections("TECHNIQUE:\nChest PA\n\nIMPRESSION: Normal.").findings == ""


@pytest.mark.parametrize(
    "report",
    [
        f"HISTORY SECRET\nFINDINGS {FINDINGS} IMPRESSION {NORMAL}",
        f"History. Secret. Findings. {FINDINGS}\nImpression. {NORMAL}",
        f"INDICATION: SECRET.FINDINGS:{FINDINGS}IMPRESSION:{NORMAL}",
        f"=== FINDINGS ===\n{FINDINGS}\n=== IMPRESSION ===\n{NORMAL}",
        f"- Findings: {FINDINGS}\n- Impression: {NORMAL}", f"A. FINDINGS: {FINDINGS}\nB. IMPRESSION: {NORMAL}",
        f"NDICATION: SECRET\nFINDNGS: {FINDINGS}\nIMRESSION: {NORMAL}",
        f"HISTRY: SECRET\nFINDIGNS: {FINDINGS}\nCONCLUSOIN: {NORMAL}",
        f"EXAMINATION: CHEST PA. {FINDINGS}\nIMPRESSION: {NORMAL}", f"FINDINGS: {FINDINGS}\nlMPRESSION: {NORMAL}",
        f"FINDINGSS: {FINDINGS}\nIMPRESSlON: {NORMAL}",
        f"HISTORY: secret COMPARSON: secret FINDNGS: {FINDINGS} IMPRESION: {NORMAL}",
    ],
)  # fmt: skip
def test_headings_may_run_into_their_text_and_be_misspelt(report: str) -> None:
    found = sections(report.replace("HISTORY SECRET", "HISTORY Secret"))
    assert (found.findings, found.impression) == (FINDINGS, NORMAL)


def test_a_misspelt_heading_is_corrected_in_every_grammar() -> None:
    report = "Klinische Angabn: SECRET\nRöntgenbefnud: Klar.\nBeurteilug: Normal."
    found = sections(report, read_grammar(GRAMMARS / "german.yml"))
    assert (found.findings, found.impression) == ("Klar.", "Normal.")


@pytest.mark.parametrize(
    "text", ["Concussion: yes.", "Bindings: none.", "findngs: a", "Report: a", "The findngs are new."]
)
def test_other_words_are_no_misspelt_headings(text: str) -> None:
    assert corrected(text, ENGLISH.spellings) == text


@pytest.mark.parametrize(
    "text", ["The findings. Stable now.", "VIEWS ARE LIMITED.", "Chest findings are stable. Views. Are limited"]
)
def test_words_before_a_sentence_are_no_headings(text: str) -> None:
    assert sections(f"IMPRESSION: {text}").findings == ""


@pytest.mark.parametrize(
    "above",
    [f"INDICATION: SECRET\n\nCOMPARISON: SECRET\n\n{FINDINGS}", FINDINGS, f"HISTORY: SECRET\n\nSECRET.\n\n{FINDINGS}"],
)
def test_prose_above_the_impression_is_the_findings_if_there_are_none(above: str) -> None:
    assert sections(f"{above}\n\n{BELOW}").findings == FINDINGS


def test_a_letters_head_is_not() -> None:
    assert sections(f"Clinic of Radiology\n\nDear colleague,\n\nthank you for Mr X.\n\n{BELOW}").findings == ""


@pytest.mark.parametrize(
    ("report", "findings", "grammar"),
    [
        (
            "INDICATION: SECRET\n\nLungs: Clear.\n\nHeart and mediastinum: Normal.",
            "Lungs: Clear. Heart and mediastinum: Normal.",
            "",
        ),
        ("HISTORY: SECRET\nLUNGS: Clear.\nBONES: Intact.", "LUNGS: Clear. BONES: Intact.", ""),
        ("Indikation: SECRET\n\nLunge: Frei.\n\nHerz: Schlank.", "Lunge: Frei. Herz: Schlank.", "german"),
        ("Motif: SECRET\n\nPoumons : Clairs.\n\nMédiastin : Fin.", "Poumons : Clairs. Médiastin : Fin.", "french"),
    ],
)
def test_headings_of_organs_begin_the_findings_if_there_are_none(report: str, findings: str, grammar: str) -> None:
    layout = read_grammar(GRAMMARS / f"{grammar}.yml") if grammar else ENGLISH
    found = sections(f"{report}\n\nIMPRESSION: {NORMAL}", layout)
    assert (found.findings, found.impression) == (findings, NORMAL)


def test_words_behind_a_heading_belong_to_it_on_its_own_line_only() -> None:
    report = (
        "History of present illness: SECRET\nFINDINGS: Clear. Findings of concern: none.\nAMENDED IMPRESSION: Normal."
    )
    found = sections(report)
    assert (found.findings, found.impression) == ("Clear. Findings of concern: none.", "Normal.")
