from __future__ import annotations

import base64
import textwrap
import time

import pytest

from fedaid.data.report.foreign_text import is_document, is_message

REPORT = "FINDINGS: Both lungs are clear, the heart is of normal size.\nIMPRESSION: Normal.\n"
CODE = base64.b64encode(REPORT.encode() * 3).decode()
LINE = "Exported on request\n"


@pytest.mark.parametrize(
    "text",
    [
        LINE + "<html><p>Clear.", LINE + "<P>Clear.", "Clear.<br>Normal.", LINE + r"{\rtf1\ansi Clear.}",
        r"\pard\plain\fs20 Clear.\par", '<ClinicalDocument xmlns="urn:hl7-org:v3"><text>Clear.',
        LINE + "<report><findings>Clear</findings></report>", "<report><findings>Clear", "<ns0:text/>",
        "&lt;p&gt;Clear.&lt;/p&gt;", LINE + "%PDF-1.4", LINE + CODE, "Attached: " + CODE,
        LINE + "\n".join(textwrap.wrap(CODE, 32)), LINE + "\n".join(textwrap.wrap(CODE, 76)),
        "data:application/pdf;base64," + CODE, REPORT.encode().hex(), LINE + "begin 644 r.txt\nM1DE",
        '{"resourceType": "DiagnosticReport"}', "['Clear.']", '["Clear."]', "MIME-Version: 1.0\n\nClear.",
        "01380006310\n", "UNB+UNOC:3+A'",
    ],
)  # fmt: skip
def test_a_document_is_found_wherever_it_begins(text: str) -> None:
    assert is_document(text)


@pytest.mark.parametrize(
    "text",
    [
        "MSH|^~\\&|RIS", LINE + "MSH|^~\\&|RIS", "\x0bMSH|^~\\&|RIS", "12:00 MSH|^~\\&|RIS", "FHS|^~\\&|RIS",
        "BHS#*~!@#RIS", "MSH$%~!@$RIS", "MSH|^~&|RIS", "MSH|^~\\&#|RIS", "MSH\t^~\\&\tRIS",
        "OBX|1|TX|X||Clear.", LINE + "PID|1||7",
    ],
)  # fmt: skip
def test_a_message_is_found_under_any_separators(text: str) -> None:
    assert is_message(text)


@pytest.mark.parametrize(
    "text",
    [
        REPORT, "", "<5 mm nodule.", "<Portable film> clear.", "a" * 60, "Normal chest\n" * 9, "[DATE] Clear.",
        "<NAME> reports.",
        "Rate <100, saturation >90, p <0.05.", "[]", "{}", "_" * 80, "2.25." + "7" * 70, "MSH is clear.", "PID: clear.",
        "https://pacs.example/Films/abcdefghijklmnopqrstuvwxyz0123456789ABCDEF", r"C:\plain text\pa",
    ],
)  # fmt: skip
def test_prose_is_neither(text: str) -> None:
    assert not is_document(text)
    assert not is_message(text)


def test_a_long_run_of_any_mark_is_read_in_time() -> None:
    start = time.monotonic()
    for mark in ("<", "<a", "<a b=", "MSH|", "&lt;", "A1b", r"\par", "\n", "{", "QUJDQUJDQUJDQUJD12\n"):
        text = mark * (100_000 // len(mark))
        is_document(text)
        is_message(text)
    assert time.monotonic() - start < 15
