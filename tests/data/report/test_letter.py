from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.report.grammar import ENGLISH
from fedaid.data.report.grammar_file import read_grammar
from fedaid.data.report.letter import body
from fedaid.data.report.scrub import scrub
from fedaid.data.report.sections import sections

GRAMMARS = Path(__file__).parents[3] / "docs" / "report-grammars"
NAMES = ("Orlinda", "Fensterwald", "ORLINDA", "FENSTERWALD", "Kwisthout")
SIGNATURES = {
    "english": (
        "Electronically signed by:\n\nOrlinda Fensterwald",
        "Dictated by:\n\nORLINDA FENSTERWALD\nSTAFF RADIOLOGIST",
        "Kind regards,\n\nOrlinda Fensterwald",
        "End of report\n\nOrlinda Fensterwald",
        "Approved by\n\nFensterwald, Orlinda",
        "Yours sincerely,\n\n\nOrlinda Fensterwald\nConsultant",
        "Signed:\n\n\nOrlinda Fensterwald, Consultant",
        "Transcribed by: OF\n\nCC: Orlinda Kwisthout",
    ),
    "german": (
        "Mit freundlichen Grüßen\n\nOrlinda Fensterwald\nOberärztin",
        "Elektronisch signiert von:\n\nOrlinda Fensterwald",
        "Befundet durch:\n\n\nFensterwald, Orlinda",
        "gez.\n\nDr. med. Orlinda Fensterwald",
        "MfG\n\nOrlinda Fensterwald",
    ),
    "french": (
        "Bien confraternellement,\n\nOrlinda Fensterwald",
        "Signé électroniquement par :\n\nDr Orlinda Fensterwald",
        "Validé par\n\nOrlinda FENSTERWALD",
        "Fin du compte rendu\n\nOrlinda Fensterwald",
    ),
    "spanish": (
        "Atentamente,\n\nOrlinda Fensterwald",
        "Firmado electrónicamente por:\n\nOrlinda Fensterwald Kwisthout",
        "Fdo.:\n\nDra. Orlinda Fensterwald",
        "Un cordial saludo\n\nOrlinda Fensterwald",
    ),
    "dutch": (
        "Met vriendelijke groet,\n\nOrlinda Fensterwald\nradioloog",
        "Elektronisch ondertekend door:\n\nOrlinda Fensterwald",
        "Gedicteerd door:\n\nFensterwald, Orlinda",
        "Einde verslag\n\nOrlinda Fensterwald",
    ),
}
BODIES = {
    "english": "FINDINGS: Clear lungs.\n\nIMPRESSION: Nothing new.",
    "german": "Befund: Lunge frei.\n\nBeurteilung: Nichts Neues.",
    "french": "Résultat : Poumons clairs.\n\nConclusion : Rien de nouveau.",
    "spanish": "Hallazgos: Pulmones claros.\n\nImpresión: Nada nuevo.",
    "dutch": "Bevindingen: Longen helder.\n\nConclusie: Niets nieuws.",
}
LAST = {"english": "new.", "german": "Neues.", "french": "nouveau.", "spanish": "nuevo.", "dutch": "nieuws."}
HEADS = {
    "english": "Oldmere Hospital\nDr Orlinda Fensterwald\n\nDear Dr Kwisthout,\n\nThank you for Mrs Kwisthout.",
    "german": "Klinikum Oldmere\nChefarzt Prof. Dr. Orlinda Fensterwald\n\nSehr geehrte Frau Kollegin Kwisthout,",
    "french": "Clinique Oldmere\nDr Orlinda Fensterwald\n\nCher confrère Kwisthout,\n\nMerci pour Mme Kwisthout.",
    "spanish": "Hospital General Oldmere\nDra. Orlinda Fensterwald\n\nEstimado Dr. Kwisthout:",
    "dutch": "Ziekenhuis Oldmere\nDr. Orlinda Fensterwald\n\nGeachte collega Kwisthout,",
}
LAYOUTS = [(language, foot) for language, feet in SIGNATURES.items() for foot in feet]


def test_there_are_layouts_of_five_languages() -> None:
    assert len(SIGNATURES) == len(HEADS) == len(BODIES) == 5
    assert len(LAYOUTS) >= 25


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("language", "foot"), LAYOUTS)
def test_no_name_of_a_letter_stays_with_and_without_its_grammar(language: str, foot: str, known: bool) -> None:
    grammar = read_grammar(GRAMMARS / f"{language}.yml") if known and language != "english" else ENGLISH
    text = sections(scrub(f"{HEADS[language]}\n\n{BODIES[language]}\n\n{foot}\n").text, grammar).text
    assert not [name for name in (*NAMES, "Oldmere", "CC", "[NAME]") if name in text], text
    assert text.endswith(LAST[language])


def clean(text: str) -> str:
    return body(text, ENGLISH.heading)


def test_a_finding_below_a_signature_stays() -> None:
    assert clean("Dictated by: [NAME]\n\nThe lungs are clear and the heart is normal.").endswith("is normal.")
    assert clean("Signed by: [NAME]\n\nNo effusion") == "No effusion"
    assert clean("Signed by:\n\n[NAME]\n\nADDENDUM: Small effusion.") == "ADDENDUM: Small effusion."


def test_after_a_valediction_a_heading_or_a_sentence_opens_the_report_again() -> None:
    assert clean("Kind regards,\n\nAny Name\n\nFINDINGS: Clear.") == "FINDINGS: Clear."
    assert clean("Kind regards,\n\nAny Name\n\nThe lungs are clear today.") == "The lungs are clear today."


@pytest.mark.parametrize(
    "text",
    [
        "Chest film, two views\n\nNo effusion.",
        "Approved by the committee are two views of the chest only.",
        "Normal Chest",
        "The patient signed the consent form. Lungs are clear.",
        "Clear lungs.\n\nStable Exam",
        "[NAME]",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert clean(text) == text or text == "[NAME]"


def test_a_letterhead_without_a_salutation_goes() -> None:
    assert clean("[INSTITUTION]\n[ADDRESS]\n\nNo effusion. Heart normal.") == "No effusion. Heart normal."
