"""Reports as other hospitals may write them: forms of identifiers, ends of letters, and headings in other shapes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fedaid.data.report.foreign_text import is_document
from fedaid.data.report.grammar import ENGLISH
from fedaid.data.report.grammar_file import read_grammar
from fedaid.data.report.report_file import plain_report
from fedaid.data.report.scrub import scrub
from fedaid.data.report.sections import sections

GRAMMARS = Path(__file__).parents[3] / "docs" / "report-grammars"
FORMS = (
    ("Vu avec le docteur Pétronille Vasseuroux.", "Pétronille|Vasseuroux"),
    ("Overlegd met prof. dr. ir. Wubbo ter Horstkamp.", "Wubbo|Horstkamp"),
    ("Findings d/w mcallister (surg reg) at 17.20.", r"mcallister|17\.20"),
    ("We spoke with nurse gretchen about the line.", "gretchen"),
    ("Comentado con dra. zumalacarregui.", "zumalacarregui"),
    ("WALLENROTH, EBENEZER J, MD", "WALLENROTH|EBENEZER"),
    ("Dictating: Penhaligon C.", "Penhaligon"),
    ("Paciente: GARAY ETXEANDIA, AMAGOIA", "GARAY|ETXEANDIA|AMAGOIA"),
    ("Home address 4 Brambledown Rise, Kettering NN16 8QT.", "Brambledown|Kettering|NN16"),
    ("Residing at 2210 N. Juniper Blvd, Tulsa, OK 74104.", "Juniper|Tulsa|74104"),
    ("Wohnhaft in 06618 Naumburg, Am Salztor 3.", "06618|Naumburg|Salztor"),
    ("Habite 3 bis allée des Cèdres à Pornichet.", "Cèdres|Pornichet"),
    ("Vive en la calle Sorribas nº 9 de Avilés.", "Sorribas|Avilés"),
    ("Pacemaker serial PJM 402 118 implanted.", "402 118"),
    ("Boîtier n° série 88 AX 1207.", "1207|AX"),
    ("Marcapasos con nº de serie VTX 0077-31.", "0077"),
    ("Port-a-cath lot 7J-2231.", "2231"),
    ("Images on //filer03/rad/share/x.", "filer03"),
    ("Lead ser. 99812B in place.", "99812B"),
    ("Film of Shrove Tuesday.", "Shrove|Tuesday"),
    ("Vient de l'EHPAD Les Aubépines.", "EHPAD|Aubépines"),
    ("Foto van 3 mrt jl.", "3 mrt"),
    ("Compared to nov 11.", "nov 11"),
    ("Sturz am Donnerstagabend.", "Donnerstag"),
    ("Gevallen op zaterdagavond.", "zaterdag"),
    ("Admitted on Whit Monday.", "Whit|Monday"),
    ("She turned 93 last month.", "93"),
    ("Dame de 94 a.", "94"),
    ("Mujer de noventa y un años.", "noventa"),
    ("Dict. GHT / typ. lw", "GHT"),
    ("Seen. hpw/TRM 11/4", "hpw|TRM"),
    ("Diktat: GHT/lwe", "GHT|lwe"),
    ("Seen. JTK/mp/dr", "JTK|mp/dr"),
    ("gez. OA Dr. R. K.", r"R\. K"),
    ("Verlegt aus dem St. Wendelin-Krankenhaus Obertal.", "Wendelin|Obertal"),
    ("Adressé par la clinique Sainte-Odile.", "Odile"),
    ("Report conveyed to ST3 Balthazar Quayle.", "Balthazar|Quayle"),
    ("Verified: Quayle, B.", "Quayle"),
    ("Relu par le Pr. J.-B. Castelnaud.", "Castelnaud"),
    ("Avisada la Dra Estíbaliz Urrutikoetxea (busca 4432).", "Estíbaliz|Urrutik|4432"),
    ("SSN ends 6789", "6789"),
    ("Herzschrittmacher Ser.-Nr. PKR 55 88 12", "55 88"),
    ("Compared to the film of the 4th inst.", "4th"),
    ("Am 1. Advent gestürzt, vorher Hogmanay.", "Advent|Hogmanay"),
    ("Desde el Día de la Madre.", "Madre"),
    ("Seit dem Wochenende 12./13.6.", r"12\./13"),
    ("Vergleich 03/2020 und 2020-11.", "03/2020|2020-11"),
    ("Paciente de 95a.", "95"),
    ("Vrouw, 93 jr.", "93"),
    ("Transcribed by mlk", "mlk"),
    ("D: RHT T: mlk", "RHT|mlk"),
    ("Dictated by R.H.T.", r"R\.H"),
    ("Opgenomen in verzorgingshuis De Wilgenhof.", "Wilgenhof"),
    ("Ingresada en la residencia Los Olmos.", "Olmos"),
)
BODIES = {
    "english": ("FINDINGS: Clear lungs. No effusion.", "IMPRESSION: Nothing new."),
    "german": ("Befund: Lunge frei. Kein Erguss.", "Beurteilung: Nichts Neues."),
    "french": ("Résultat : Poumons clairs.", "Conclusion : Rien de nouveau."),
    "spanish": ("Hallazgos: Sin derrame.", "Impresión: Nada nuevo."),
    "dutch": ("Bevindingen: Longen helder.", "Conclusie: Niets nieuws."),
}
ENDS = (
    ("english", "Report verified by:\n\n\n\nQUILLFEATHER, ISAMBARD"),
    ("english", "I have personally reviewed the images and agree.\n\nIsambard Quillfeather"),
    ("english", "Thank you for this referral.\n\nIsambard Quillfeather\nSpecialist Registrar"),
    ("english", "Respectfully,\n\nIsambard Quillfeather"),
    ("english", "Best,\n\nIsambard"),
    ("english", "___________________\nIsambard Quillfeather"),
    ("german", "Viele Grüße\n\nIsambard Quillfeather"),
    ("german", "Unterschrift\n\n\nIsambard Quillfeather"),
    ("german", "Erstellt: Quillfeather\n\nFreigegeben: Isambard"),
    ("german", "Herzliche Grüße, Ihr\n\nIsambard Quillfeather"),
    ("french", "Bien à vous,\n\nIsambard Quillfeather"),
    ("french", "Médecin radiologue\n\nIsambard Quillfeather"),
    ("french", "Rédacteur : Isambard Quillfeather"),
    ("spanish", "Médico responsable\n\nQUILLFEATHER, ISAMBARD"),
    ("spanish", "Radiólogo que informa:\nIsambard Quillfeather"),
    ("dutch", "Groet,\n\nIsambard Quillfeather\nAIOS radiologie"),
    ("dutch", "Namens de maatschap radiologie,\n\nIsambard Quillfeather"),
    ("dutch", "Verslaglegger\n\nIsambard Quillfeather"),
)
HEADS = (
    ("german", "Hallo Isambard,\n\n"),
    ("german", "Betrifft: Quillfeather, Isambard\n\n"),
    ("german", "Lieber Isambard,\n\nvielen Dank für die Zuweisung.\n\n"),
    ("french", "Bonjour Isambard,\n\n"),
    ("spanish", "Asunto: Isambard Quillfeather\n\n"),
    ("dutch", "Aan: Isambard Quillfeather\n\n"),
)


@pytest.mark.parametrize(("sentence", "gone"), FORMS)
def test_a_form_is_gone_and_the_findings_stay(sentence: str, gone: str) -> None:
    found = sections(scrub(f"FINDINGS: The lungs are clear. {sentence}\nIMPRESSION: Stable.").text)
    assert re.findall(gone, found.text) == []
    assert found.findings.startswith("The lungs are clear.")
    assert found.impression == "Stable."


@pytest.mark.parametrize(
    "sentence",
    [
        "Nódulo de 92 a 95 UH.",
        "Tip at 3.5 cm, or at 12.30 mm.",
        "Kann älter sein, 150 ml.",
        "He turned left.",
        "Lower lobe // upper lobe clear, w/o contrast, 5 mg/L.",
        "Discussed with the resident and the nurse on call.",
        "Subject: Chest radiograph",
        "À la clinique, toux.",
        "Freigegeben: ja",
        "Compared with 2019-2021.",
    ],
)
def test_a_finding_is_no_identifier(sentence: str) -> None:
    assert scrub(sentence).text == sentence


@pytest.mark.parametrize("own_grammar", [True, False])
@pytest.mark.parametrize(("language", "end"), ENDS)
def test_the_end_of_a_letter_goes_with_and_without_a_grammar(language: str, end: str, own_grammar: bool) -> None:
    own = own_grammar and language != "english"
    grammar = read_grammar(GRAMMARS / f"{language}.yml") if own else ENGLISH
    text = sections(scrub("\n\n".join([*BODIES[language], end])).text, grammar).text
    assert re.findall("(?i:isambard|quillfeather)", text) == []
    assert all(part.split(":", 1)[1].strip() in text for part in BODIES[language])


@pytest.mark.parametrize(("language", "head"), HEADS)
def test_the_head_of_a_letter_goes_without_a_grammar(language: str, head: str) -> None:
    text = sections(scrub(head + "\n\n".join(BODIES[language])).text).text
    assert re.findall("(?i:isambard|quillfeather)", text) == []
    assert BODIES[language][1].split(":", 1)[1].strip() in text


@pytest.mark.parametrize(
    "impression",
    [
        "Cardiomegaly,\nEmphysema",
        "\n-----------\nCardiomegaly\nEmphysema",
        "\n\n1. Cardiomegaly\n2. Emphysema",
        "Cardiomegaly.\n\nEmphysema",
        "Signs of Cardiomegaly,\nwith Emphysema",
    ],
)
def test_findings_that_look_like_names_stay(impression: str) -> None:
    found = sections(f"FINDINGS: Clear.\n\nIMPRESSION: {impression}").impression
    assert "Cardiomegaly" in found
    assert "Emphysema" in found


@pytest.mark.parametrize(
    "report",
    [
        "[FINDINGS]\nClear.\n[IMPRESSION]\nNormal.",
        "<FINDINGS> Clear.\n<IMPRESSION> Normal.",
        "FINDINGS; Clear.\nIMPRESSION; Normal.",
        "F I N D I N G S:\nClear.\nI M P R E S S I O N\nNormal.",
        "FINDINGS: Clear.\nASSESSMENT: Normal.",
    ],
)
def test_a_heading_in_another_shape_opens_its_section(report: str) -> None:
    found = sections(f"INDICATION: Cough.\n{report}")
    assert (found.findings, found.impression) == ("Clear.", "Normal.")


def test_a_tag_of_the_scrubber_is_no_heading() -> None:
    assert sections("FINDINGS: Clear.\n[DATE]\nNo effusion.").findings == "Clear. [DATE] No effusion."


def test_entities_become_characters_so_that_names_are_found() -> None:
    assert (
        plain_report("Seen by Dr.&nbsp;Vasseuroux &amp; team, size &lt;5 mm")
        == "Seen by Dr. Vasseuroux & team, size <5 mm"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<ClinicalDocument",
        "Cover\n{ \\rtf1 \\ansi clear}",
        "data:text/plain;base64,UGF0aWVudA==",
        "UGF0aWVudDogUXVpbGxmZWF0aGVy-_2FtYmFyZCBib3JuIDE5NTAuIENsZWFyIGx1bmdz",
        "4d53487c5e7e5c267c5249537c484f53504954414c7c5241447c484f53507c3230",
    ],
)
def test_a_document_is_no_report(text: str) -> None:
    assert is_document(text)
