from __future__ import annotations

import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.data.report.grammar import ENGLISH, of_words, plain
from fedaid.data.report.sections import report_text, sections

GERMAN = of_words(
    findings=["Befund", "Röntgenbefund"],
    impression=["Beurteilung", "Schluß"],
    joint=["Befund und Beurteilung"],
    dropped=["Klinische Angaben", "Voraufnahmen", "Motif de l'examen"],
    boilerplate=["Sehr geehrte"],
    signatures=["Mit freundlichen Grüßen"],
)
REPORT = "Klinische Angaben: SECRET\nBefund: Herz normal.\nBeurteilung: Kein Erguss."


def test_a_report_has_the_sections_that_the_words_name() -> None:
    report = sections(REPORT, GERMAN)
    assert (report.findings, report.impression) == ("Herz normal.", "Kein Erguss.")


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_headings_count_in_any_case(change: object) -> None:
    text = "Klinische Angaben: SECRET\nBefund: {}\nBeurteilung: {}"
    assert report_text(change(text).format("Herz.", "Normal."), GERMAN) == "Herz. Normal."  # type: ignore[operator]


@pytest.mark.parametrize(
    "heading",
    [
        "Röntgenbefund", "RÖNTGENBEFUND", "Roentgenbefund", "ROENTGENBEFUND", "Rontgenbefund",
        unicodedata.normalize("NFD", "Röntgenbefund"), "Röntgenbefund ", "**Röntgenbefund**",
    ],
)  # fmt: skip
def test_an_umlaut_counts_however_it_is_typed(heading: str) -> None:
    assert report_text(f"Voraufnahmen: SECRET\n{heading}: Herz normal.", GERMAN) == "Herz normal."


def test_a_sharp_s_and_an_apostrophe_count_however_they_are_typed() -> None:
    assert report_text("Befund: Herz.\nSCHLUSS: Normal.", GERMAN) == "Herz. Normal."
    assert report_text("MOTIF DE L’EXAMEN : SECRET\nBefund : Herz.", GERMAN) == "Herz."


def test_a_longer_heading_is_not_taken_for_the_shorter_one_in_it() -> None:
    report = sections("BEFUND UND BEURTEILUNG: Herz normal.", GERMAN)
    assert (report.findings, report.impression) == ("Herz normal.", "")


def test_english_headings_of_a_manifests_columns_are_always_known() -> None:
    assert report_text("FINDINGS: Herz normal.\n\nIMPRESSION: Kein Erguss.", GERMAN) == "Herz normal. Kein Erguss."


def test_other_english_headings_are_not() -> None:
    assert report_text("Befund: Herz. HISTORY: normal.", GERMAN) == "Herz. HISTORY: normal."


def test_boilerplate_goes_with_its_line_and_a_signature_with_the_lines_below() -> None:
    letter = f"Sehr geehrte Frau SECRET,\n{REPORT}\nMit freundlichen Grüßen\nDr. SECRET\nSECRET\n\n"
    assert report_text(letter, GERMAN) == "Herz normal. Kein Erguss."


def test_boilerplate_is_whole_words() -> None:
    grammar = of_words(findings=["Befund"], boilerplate=["Herz"])
    assert report_text("Befund:\nHerz normal.\nHerzschatten normal.", grammar) == "Herzschatten normal."


def test_no_word_is_a_pattern() -> None:
    grammar = of_words(findings=["(a+)+$", "Befund.*"], boilerplate=[".*"])
    assert report_text("Befund x: SECRET", grammar) == "Befund x: SECRET"
    assert report_text("Voran.\n\nBefund.*: Herz.", grammar) == "Herz."


PARAGRAPHS = "Klinische Angaben: SECRET\n\nHerz normal.\n\nKein Erguss."


@pytest.mark.parametrize(
    ("fallback", "text"),
    [("last paragraph", "Kein Erguss."), ("whole text", "Herz normal. Kein Erguss."), ("none", "")],
)
def test_the_fallback_decides_what_stands_without_a_section(fallback: str, text: str) -> None:
    assert report_text(PARAGRAPHS, replace(GERMAN, fallback=fallback)) == text


@pytest.mark.parametrize(("fallback", "kept"), [("last paragraph", True), ("whole text", True), ("none", False)])
def test_without_any_heading_the_whole_text_stands_or_none(fallback: str, kept: bool) -> None:
    text = "Herz normal. Kein Erguss."
    assert report_text(text.replace(". ", ".\n\n"), replace(GERMAN, fallback=fallback)) == (text if kept else "")


def test_the_default_is_english() -> None:
    report = "HISTORY: SECRET\nFINDINGS: Clear.\nIMPRESSION: Normal."
    assert sections(report) == sections(report, ENGLISH)


def test_no_words_at_all_leave_a_text_as_it_is() -> None:
    assert report_text("Herz: normal.", of_words()) == "Herz: normal."


@pytest.mark.parametrize(("one", "other"), [("RÉSULTATS", "Resultats"), (" Datos  clínicos", "datos clinicos")])
def test_headings_are_the_same_without_case_accents_and_spaces(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@given(st.text(max_size=30), st.text(alphabet="ab:\n äÉ'(+*", max_size=60))
def test_any_word_makes_a_grammar_that_reads_any_report(word: str, report: str) -> None:
    text = report_text(report, of_words(findings=[word], dropped=["ab"], boilerplate=["b"], signatures=["É"]))
    assert set(text) <= set(report) | {" "}


def test_headings_may_be_in_a_script_without_capitals() -> None:
    grammar = of_words(findings=["影像所见"], impression=["诊断意见"], dropped=["临床病史"])
    assert (
        report_text("临床病史：SECRET\n影像所见：双肺清晰。\n诊断意见\n未见异常。", grammar) == "双肺清晰。 未见异常。"
    )


def test_many_words_are_read_in_time() -> None:
    words = [f"{'Befund ' * (number % 9)}{number}" for number in range(200)]
    grammar = of_words(findings=words, dropped=[f"{word} x" for word in words], signatures=words)
    start = time.monotonic()
    for piece in ("Befund ", "Befund 1 ", "BEFUND BEFUND 1: ", "\n", "Befund 1\n", "a: "):
        report_text(piece * (20_000 // len(piece)), grammar)
    assert time.monotonic() - start < 15
