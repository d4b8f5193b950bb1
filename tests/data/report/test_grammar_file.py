from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.manifest import read_manifest
from fedaid.data.report.grammar import ENGLISH
from fedaid.data.report.grammar_file import FILE_NAME, MAX_BYTES, read_grammar, site_grammar
from fedaid.data.report.sections import report_text, sections
from fedaid.errors import InputError

EXAMPLES = Path(__file__).parents[3] / "docs" / "report-grammars"


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / FILE_NAME
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_grammar(written(folder, content))
    return str(caught.value)


def test_a_file_becomes_a_grammar(tmp_path: Path) -> None:
    content = "findings: [Befund]\ndropped:\n  - 'Klinik:'\nboilerplate: [Hallo]\nsignatures: [Gruß]\nfallback: none\n"
    grammar = read_grammar(written(tmp_path, content))
    assert report_text("Hallo Welt\nKLINIK: SECRET\nBefund: Herz.\nGruß\nSECRET", grammar) == "Herz."
    assert grammar.fallback == "none"


def test_without_a_file_the_grammar_is_english(tmp_path: Path) -> None:
    assert site_grammar(tmp_path) is ENGLISH


def test_a_manifest_is_read_by_the_grammar_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    report = '"Klinik: SECRET\nBefund: Herz."'
    (tmp_path / "manifest.csv").write_text(f"study_id,patient_id,image,report\ns,p,a.png,{report}\n")
    assert "SECRET" in read_manifest(tmp_path).studies[0].text
    written(tmp_path, "findings: [Befund]\ndropped: [Klinik]")
    assert read_manifest(tmp_path).studies[0].text == "Herz."


def test_columns_of_a_manifest_are_read_by_any_grammar(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "manifest.csv").write_text("study_id,patient_id,image,findings,impression\ns,p,a.png,Herz.,Normal.\n")
    written(tmp_path, "findings: [Befund]")
    assert read_manifest(tmp_path).studies[0].text == "Herz. Normal."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("findngs: [Befund]", "key must be a known one, got findngs: report_grammar.yml. Did you mean findings?"),
        ("findings: Befund", "findings must be a list of at most 200 words, got a str"),
        ("findings: {a: b}", "got a dict"),
        (f"findings: {['a'] * 201}", "at most 200 words"),
        ("findings: [Befund, 12]", "findings, entry 2, must hold words"),
        ("findings: [no]", "findings, entry 1, must hold words"),
        ("findings: [Befund: x]", "Put it in quotes"),
        ("findings: ['']", "entry 1"),
        ("findings: ['---']", "entry 1"),
        ("findings: [[Befund]]", "entry 1"),
        (f"findings: [{'a' * 81}]", "at most 80 characters"),
        ('findings: ["a\\nb"]', "on one line"),
        ("findings: [Résultats]\ndropped: [RESULTATS]", "'RESULTATS' under findings and dropped"),
        ("findings: [Befund]\ndropped: [Impression]", "under impression and dropped"),
        ("dropped: [Klinik]", "name a heading of findings, impression or joint, got none"),
        ("findings: [Befund]\nfallback: all", "fallback must be one of last paragraph, whole text, none, got 'all'"),
        ("findings: [Befund]\nfallback: [none]", "fallback must be one of"),
        ("findings: [Befund]\nfindings: [Text]", "without anchors and repeated keys"),
        ("findings: &a [Befund]\nimpression: *a", "without anchors"),
        ("- Befund", "be a mapping in YAML"),
        ("", "be a mapping in YAML"),
        ("findings: [Befund", "ParserError"),
        ("findings: !!python/object/apply:os.system [echo]", "ConstructorError"),
        ("[" * 5000, "be a mapping in YAML"),
        (b"findings: [R\xe9sultats]", "UnicodeDecodeError"),
        ("#" * (MAX_BYTES + 1), "be small"),
    ],
)  # fmt: skip
def test_a_fault_is_named_in_one_line(content: str | bytes, said: str, tmp_path: Path) -> None:
    message = refusal(tmp_path, content)
    assert said in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FileNotFoundError"):
        read_grammar(tmp_path / "none.yml")


FINDINGS, IMPRESSION = "AAA bbb, 3 cm. Ccc.", "Ddd eee."
LAYOUTS = {
    "german": [
        "Klinische Angaben: SECRET\nFragestellung: SECRET\n\nBefund:\n{f}\n\nBeurteilung:\n{i}",
        "KLINIK UND FRAGESTELLUNG\nSECRET\n\nBEFUND\n{f}\n\nZUSAMMENFASSUNG\n{i}",
        "Sehr geehrte Frau Kollegin SECRET,\n\nRechtfertigende Indikation: SECRET\nTechnik: SECRET\n"
        "Voraufnahmen: SECRET\nBefund: {f}\nBeurteilung: {i}\n\nMit freundlichen kollegialen Grüßen\nDr. SECRET\n",
        "Untersuchung: SECRET. Anamnese: SECRET. Röntgenbefund: {f} Beurteilung: {i}",
        "VORUNTERSUCHUNG: SECRET\nROENTGENBEFUND: {f}\nFAZIT - {i}\nElektronisch signiert: SECRET",
        "Befund und Beurteilung: {f} {i}\nEmpfehlung: SECRET",
    ],
    "french": [
        "INDICATION : SECRET\nTECHNIQUE : SECRET\nRESULTATS :\n{f}\nCONCLUSION :\n{i}",
        "Renseignements cliniques : SECRET\n\nRésultats : {f}\n\nConclusion : {i}",
        "Cher confrère SECRET,\n\nMotif de l’examen : SECRET\n\nDescription\n{f}\n\nSynthèse\n{i}\n\n"
        "Bien cordialement\nSECRET",
        "Antécédents: SECRET. Comparaison: SECRET. Résultat: {f} Conclusion: {i}",
        "MEDECIN PRESCRIPTEUR : SECRET\nEXAMENS ANTERIEURS : SECRET\nINTERPRETATION : {f}\nAU TOTAL : {i}\n"
        "Signé électroniquement par SECRET",
        "Contexte : SECRET\nCompte rendu : {f} {i}\nDosimétrie : SECRET",
    ],
    "spanish": [
        "DATOS CLÍNICOS: SECRET\nHALLAZGOS:\n{f}\nIMPRESIÓN DIAGNÓSTICA:\n{i}",
        "Motivo de consulta: SECRET\nTécnica: SECRET\n\nHallazgos: {f}\n\nConclusión: {i}\n\nFdo. Dra. SECRET\nSECRET",
        "INFORMACION CLINICA\nSECRET\n\nDESCRIPCION\n{f}\n\nCONCLUSIONES\n{i}",
        "Paciente: SECRET\nNHC: SECRET\nEstudios previos: SECRET\nInforme radiológico: {f}\nImpresión: {i}\n"
        "Recomendación: SECRET",
        "Indicación: SECRET. Comparación: SECRET. Hallazgos: {f} Impresión: {i}",
        "Antecedentes: SECRET\nHallazgos e impresión: {f} {i}\nUn cordial saludo,\nSECRET",
    ],
    "dutch": [
        "Klinische gegevens: SECRET\nVraagstelling: SECRET\nVerslag: {f}\nConclusie: {i}",
        "VOORGESCHIEDENIS\nSECRET\n\nBEVINDINGEN\n{f}\n\nCONCLUSIE\n{i}",
        "Geachte collega SECRET,\n\nIndicatie: SECRET\nTer vergelijking: SECRET\n\nBeoordeling:\n{f}\n\nBesluit:\n{i}\n"
        "\nMet vriendelijke groet,\nSECRET\n",
        "Techniek: SECRET. Vergelijking: SECRET. Bevindingen: {f} Conclusie: {i}",
        "PATIENT: SECRET\nAANVRAGER: SECRET\nRADIOLOGISCH VERSLAG: {f}\nSAMENVATTING: {i}\nGeautoriseerd door: SECRET",
        "Reden van onderzoek: SECRET\nVerslag/conclusie: {f} {i}\nAdvies: SECRET",
    ],
}


@pytest.mark.parametrize(("language", "layout"), [(name, one) for name in LAYOUTS for one in LAYOUTS[name]])
def test_an_example_reads_the_layouts_of_its_language(language: str, layout: str) -> None:
    grammar = read_grammar(EXAMPLES / f"{language}.yml")
    assert report_text(layout.format(f=FINDINGS, i=IMPRESSION), grammar) == f"{FINDINGS} {IMPRESSION}"


@pytest.mark.parametrize("language", LAYOUTS)
def test_an_example_tells_the_sections_apart(language: str) -> None:
    for layout in LAYOUTS[language][:5]:
        report = sections(layout.format(f=FINDINGS, i=IMPRESSION), read_grammar(EXAMPLES / f"{language}.yml"))
        assert (report.findings, report.impression) == (FINDINGS, IMPRESSION)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("german", "Kein Befund, der für eine Pneumonie spricht. Im Vergleich zur Voraufnahme keine Änderung."),
        ("french", "Pas de changement en comparaison avec l'examen antérieur. Résultat stable."),
        ("spanish", "Sin cambios respecto al estudio previo. Los hallazgos son estables."),
        ("dutch", "In vergelijking met eerder onderzoek geen wijziging. Bij beoordeling geen infiltraat."),
    ],
)
def test_the_words_in_running_text_are_no_headings(language: str, text: str) -> None:
    assert report_text(text, read_grammar(EXAMPLES / f"{language}.yml")) == text


def test_every_example_is_tested() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.yml")} == set(LAYOUTS)
