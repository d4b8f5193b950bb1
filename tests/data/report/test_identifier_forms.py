from __future__ import annotations

import re
import time

import pytest

from fedaid.data.report import scrub as scrubber
from fedaid.data.report.identifiers.rule import Facts, first_letters
from fedaid.data.report.scrub import scrub
from tests.data.report.test_scrub import HARMLESS
from tests.field.identifier_forms import FORMS


def test_there_are_forms_of_five_languages() -> None:
    assert len(FORMS) >= 50


@pytest.mark.parametrize(("sentence", "gone"), FORMS)
def test_a_form_is_gone_and_the_finding_beside_it_stays(sentence: str, gone: str) -> None:
    text = scrub(f"FINDINGS: The lungs are clear. {sentence}\nIMPRESSION: Stable.").text
    assert re.findall(gone, text) == []
    assert text.startswith("FINDINGS: The lungs are clear.")
    assert text.endswith("IMPRESSION: Stable.")


OTHER_SENTENCES = """
Hyperlucent lungs, diaphragm flat 2. Scoliosis.
Results were called to the ward; findings discussed with neurosurgery.
Her sister had pneumonia. On the 4th ICU day the patient improved.
Position of the case of COVID-19 (A) hospital day 3.
Kein Pleuraerguss. Herz normal groß, Aorta elongiert.
Im Vergleich zur Voraufnahme unverändert, Verschattung im rechten Unterlappen.
Patient in Rückenlage, Tubus 3 cm oberhalb der Carina, ZVK in der Vena cava superior.
Alte Rippenfrakturen der Rippen 5 bis 8 links, BWK 12 höhengemindert.
Zustand nach Sternotomie, Pleurawinkel beidseits frei.
Im Segment 3 des rechten Oberlappens ein Rundherd von 12 mm.
Pas d'épanchement pleural. Silhouette cardiaque normale.
Opacité du lobe moyen de 35 mm, à contrôler par scanner.
Patient intubé, sonde en place, ascension de la coupole droite.
Absence de pneumothorax, cadre osseux sans anomalie, 3 nodules.
Sin derrame pleural. Silueta cardiaca de tamaño normal.
Nódulo de 8 mm en el lóbulo superior derecho, estable.
El paciente presenta cifosis dorsal, con aumento de la trama.
Geen pleuravocht. Hart niet vergroot, normale hili.
Verdichting in de linker onderkwab van 20 mm, drain in situ.
Patiënt is gedraaid, oude ribfracturen links, vergelijk eerder onderzoek.
""".strip().splitlines()


@pytest.mark.parametrize("sentence", OTHER_SENTENCES)
def test_a_sentence_without_identifiers_stays_in_other_languages(sentence: str) -> None:
    assert scrub(sentence).text == sentence


def test_hints_never_keep_a_rule_from_a_match() -> None:
    texts = [*HARMLESS, *OTHER_SENTENCES, *(sentence for sentence, _ in FORMS)]
    tried = 0
    for text in texts:
        facts = Facts(text)
        for rule in scrubber._ORDER:
            if not rule.may_match(facts):
                tried += 1
                assert rule.pattern.search(text) is None, (rule.kind, rule.source[:60])
    assert tried > 1000


@pytest.mark.parametrize(
    ("alternatives", "letters"),
    [
        ("son|daughter", {"son", "daught"}),
        ("fill(?:e|es)|tío", {"fill", "tío"}),
        ("(?:past |brief )?history", {"past", "brief", "histor"}),
        ("acct?|mr ?#", {"acc", "mr"}),
        ("hij[oa]|S/N", {"hij", "s"}),
        (r"\d+|son", set()),
        ("[ab]c|son", set()),
    ],
)
def test_the_first_letters_of_alternatives(alternatives: str, letters: set[str]) -> None:
    assert first_letters(alternatives) == letters


def test_a_usual_heading_is_no_label() -> None:
    assert not Facts("FINDINGS: Clear.\nIMPRESSION: Normal.").labelled
    assert Facts("FINDINGS: Clear.\nAttending: Roe").labelled


def test_a_long_run_of_a_new_cue_is_scrubbed_in_time() -> None:
    start = time.monotonic()
    for piece in (
        "Oberarzt ",
        "rue ",
        "a@",
        "1 2 ",
        "sœur ",
        "JTK/mp ",
        "\\\\a",
        "née le ",
        "vom dritten ",
        "calle ",
        "a.de ",
    ):
        scrub(piece * (3_000 // len(piece)))
    assert time.monotonic() - start < 20
