from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.data.report.sections import report_text, sections

FINDINGS = "The lungs are clear. Heart size is normal."
IMPRESSION = "No acute disease."
BOTH = f"{FINDINGS} {IMPRESSION}"

CAPITALS = f"""
                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  54 year old with cough SECRET

 TECHNIQUE:  Chest PA and lateral

 COMPARISON:  SECRET from last year

 FINDINGS:

 The lungs are clear.  Heart size
 is normal.

 IMPRESSION:

 {IMPRESSION}
"""
ONE_LINE = f"INDICATION: cough SECRET. COMPARISON: None. FINDINGS: {FINDINGS} IMPRESSION: {IMPRESSION}"
NO_STOPS = f"HISTORY: cough SECRET TECHNIQUE: AP FINDINGS: {FINDINGS} IMPRESSION: {IMPRESSION}"
TITLE_CASE = f"Clinical History: SECRET\nTechnique: two views\nFindings: {FINDINGS}\nConclusion: {IMPRESSION}\n"
LOWER_CASE = f"reason for exam: SECRET\nfindings: {FINDINGS}\nimpression: {IMPRESSION}"
BARE = f"HISTORY\nSECRET\n\nFINDINGS\n{FINDINGS}\n\nIMPRESSION\n{IMPRESSION}"
REVERSED = f"IMPRESSION: {IMPRESSION}\n\nFINDINGS: {FINDINGS}\n\nHISTORY: SECRET"
WINDOWS = f"Indication: SECRET\r\n\r\nFindings:\r\n{FINDINGS}\r\n\r\nImpression:\r\n{IMPRESSION}\r\n"
JOINT = f"COMPARISON: SECRET\n\nFINDINGS AND IMPRESSION: {BOTH}"
SLASHED = f"EXAM: SECRET\n\nFINDINGS/IMPRESSION:\n{BOTH}"
MARKUP = f"**History:** SECRET\n\n**Findings:** {FINDINGS}\n\n## IMPRESSION ##\n{IMPRESSION}"
DASHES = f"History - SECRET\nFindings - {FINDINGS}\nImpression – {IMPRESSION}"
QUALIFIED = f"CLINICAL INFORMATION: SECRET\nCHEST FINDINGS: {FINDINGS}\nPRELIMINARY IMPRESSION (unread): {IMPRESSION}"
SIGNED = (
    f"FINDINGS: {FINDINGS}\nIMPRESSION: {IMPRESSION}\n\nElectronically signed by:\nDr. SECRET, MD\n01/01/2020 SECRET"
)
DICTATED = f"PATIENT NAME: SECRET\nMRN: SECRET\nFINDINGS: {FINDINGS}\nIMPRESSION: {IMPRESSION}\nDictated by: SECRET"
NOTIFIED = (
    f"FINDINGS: {FINDINGS}\nIMPRESSION: {IMPRESSION}\nNOTIFICATION: told Dr. SECRET by phone\nRECOMMENDATION: SECRET"
)


@pytest.mark.parametrize(
    "report",
    [
        CAPITALS, ONE_LINE, NO_STOPS, TITLE_CASE, LOWER_CASE, BARE, REVERSED, WINDOWS, JOINT, SLASHED,
        MARKUP, DASHES, QUALIFIED, SIGNED, DICTATED, NOTIFIED,
    ],
)  # fmt: skip
def test_a_layout_gives_findings_then_impression_and_nothing_else(report: str) -> None:
    assert report_text(report) == BOTH


def test_the_two_sections_are_told_apart() -> None:
    report = sections(CAPITALS)
    assert (report.findings, report.impression) == (FINDINGS, IMPRESSION)


def test_a_joint_section_counts_as_findings() -> None:
    assert (sections(JOINT).findings, sections(JOINT).impression) == (BOTH, "")


def test_one_section_is_enough() -> None:
    assert report_text(f"HISTORY: SECRET\n\nIMPRESSION: {IMPRESSION}") == IMPRESSION
    assert report_text(f"HISTORY: SECRET\n\nFINDINGS: {FINDINGS}\n\nIMPRESSION:\n") == FINDINGS


def test_headings_of_organs_belong_to_the_findings() -> None:
    assert report_text("FINDINGS:\nLUNGS: Clear.\nHEART: Normal.\n\nOPINION: Normal.") == (
        "LUNGS: Clear. HEART: Normal. Normal."
    )


def test_numbered_items_of_an_impression_stay() -> None:
    assert report_text("IMPRESSION:\n1. Effusion.\n2. No pneumothorax.") == "1. Effusion. 2. No pneumothorax."


@pytest.mark.parametrize(
    "text",
    [
        "These findings: none of concern, history of smoking noted.",
        "Comparison to the prior study shows no change. Views are limited.",
        "The impression is one of\nhistory\nrather than of acute disease.",
    ],
)
def test_the_words_in_running_text_are_no_headings(text: str) -> None:
    assert report_text(f"FINDINGS: {text}") == " ".join(text.split())


def test_without_headings_the_whole_text_stands() -> None:
    assert report_text("Lungs  clear.\n\nHeart\tnormal.\n") == "Lungs clear. Heart normal."


def test_with_other_headings_only_the_last_free_paragraph_stands() -> None:
    report = f"INDICATION: SECRET\n\nCOMPARISON: SECRET\n\nTwo views.\n\n{FINDINGS}\n\nDictated by: SECRET"
    assert report_text(report) == FINDINGS


def test_free_text_before_other_headings_stands_and_a_title_does_not() -> None:
    assert report_text(f"{FINDINGS} Clinical details: SECRET") == FINDINGS
    assert report_text("CHEST, TWO VIEWS\nHISTORY: SECRET") == ""


def test_a_result_named_after_the_examination_is_not_dropped() -> None:
    assert report_text("Fever. Imaging examination: patchy shadows.") == "Fever. Imaging examination: patchy shadows."


def test_a_stop_after_a_heading_is_no_text() -> None:
    assert report_text(f"History:. SECRET. Impression:. {IMPRESSION}") == IMPRESSION


@pytest.mark.parametrize(
    "report",
    ["", " \n\t", "FINDINGS:\n\nIMPRESSION:", "HISTORY: cough", "___", "FINDINGS: ---\nIMPRESSION: 1.", "FINAL REPORT"],
)
def test_nothing_to_describe_the_picture_gives_nothing(report: str) -> None:
    assert report_text(report) == ""


def test_a_report_does_not_show_its_text() -> None:
    assert "lungs" not in repr(sections(CAPITALS))


def test_a_long_run_of_any_piece_is_read_in_time() -> None:
    start = time.monotonic()
    for piece in (" ", "\n", "\n \n", "clinical ", "FINDINGS ", "a: ", "signed by\n", "*", "1. ", "patient HISTORY: "):
        report_text(piece * (100_000 // len(piece)))
    assert time.monotonic() - start < 15


@given(st.text(alphabet=st.sampled_from("abc XYZ:.\n\t"), max_size=200))
def test_the_text_is_one_line_without_double_blanks(report: str) -> None:
    text = report_text(report)
    assert text == " ".join(text.split())


@given(
    st.lists(st.sampled_from(["FINDINGS: ", "IMPRESSION: ", "HISTORY: ", "clear lungs. ", "\n", "\n\n"]), max_size=12)
)
def test_every_word_of_the_result_is_in_the_report(pieces: list[str]) -> None:
    report = "".join(pieces)
    assert set(report_text(report).split()) <= set(report.split())
