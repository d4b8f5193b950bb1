"""Checks of the reports as texts."""

from __future__ import annotations

import re
from collections import Counter

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, Test, above, found, report_fault, where
from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.language import language_of

FEWEST_WORDS, MOST_WORDS = 3, 400
SECTIONED, ENDED = 0.5, 0.9
BOILERPLATE = re.compile(
    r"report(?:s)? to follow|reported electronically|dictated but not (?:read|reviewed)|images? (?:are|is) in"
    r"|see (?:the )?(?:separate|previous|attached|full) report|no report|not (?:yet )?reported|awaiting report"
    r"|electronically (?:signed|approved)|clinical correlation|preliminary report|final report|automatically generated"
    r"|siehe vorbefund|bericht folgt|rapport à suivre|informe pendiente|verslag volgt",
    re.IGNORECASE,
)
MARKUP = re.compile(r"<(?:html|body|p|br|div|span|table)\b|\{\\rtf|%PDF-|[A-Za-z0-9+/]{80,}={0,2}")
GARBLED = re.compile(r"Ã[\x80-\xbf©¤¼¶¨ª]|â€|\ufffd")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_SENTENCE, _WORD = re.compile(r"[^.!?\n]+"), re.compile(r"[^\W\d_]{2,}")
_ENDS = (".", "!", "?", ")", "]", ":", ";")


def contains(pattern: re.Pattern[str]) -> Test:
    """Return a test of whether a report contains this pattern."""
    return lambda case: bool(case.report and pattern.search(case.report))


def is_marked_up(case: Case) -> bool:
    """Whether a report is a document, encoded bytes, or text with markup."""
    return case.report_fault in ("report-not-text", "report-message") or contains(MARKUP)(case)


def says_only_boilerplate(case: Case) -> bool:
    """Whether a report has fewer than :data:`FEWEST_WORDS` words beside sentences of boilerplate."""
    if not case.text or not BOILERPLATE.search(case.text):
        return False
    left = [sentence for sentence in _SENTENCE.findall(case.text) if not BOILERPLATE.search(sentence)]
    return len(_WORD.findall(" ".join(left))) < FEWEST_WORDS


def is_blank(case: Case) -> bool:
    """Whether a report has no text at all."""
    return case.report is not None and not case.report.strip()


def has_headings_only(case: Case) -> bool:
    """Whether a report is not empty, but has no text that describes the picture."""
    return bool(case.report and case.report.strip()) and not case.text


def truncated(evidence: Evidence) -> Found:
    """Return the reports that seem truncated: without a full stop where the others have one, or within a word.

    A last word counts as incomplete if no other report has it and another report has a longer word with this beginning.
    """
    filled = [case for case in evidence.cases if case.text]
    ended = sum(case.text.endswith(_ENDS) for case in filled)
    words = Counter(word for case in filled for word in set(_words(case.text)))
    usual = bool(filled) and ended >= ENDED * len(filled)
    open_ended = [case for case in filled if not case.text.endswith(_ENDS)]
    return found((case for case in open_ended if usual or _breaks_word(case.text, words)), evidence)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _breaks_word(text: str, known: Counter[str]) -> bool:
    last = (text.split() or [""])[-1].casefold()
    longer = any(word.startswith(last) and len(word) > len(last) for word in known)
    return last.isalpha() and known[last] <= 1 and longer


def of_another_language(evidence: Evidence) -> Found:
    """Return the reports in another language than most reports of the site."""
    languages = {case.line: name for case in evidence.cases if (name := language_of(case.text))}
    usual = Counter(languages.values()).most_common(1)
    main = usual[0][0] if usual else None
    return found((case for case in evidence.cases if languages.get(case.line, main) != main), evidence)


def without_sections(case: Case) -> bool:
    """Whether a report has neither findings nor an impression under a heading."""
    return bool(case.text) and case.sections is not None and not (case.sections.findings or case.sections.impression)


REPORT_CHECKS = (
    Check(
        "report-unreadable",
        "Reports that are not UTF-8 text",
        "The file has another encoding or more than 1 MiB. The study is left out.",
        "Save the report as UTF-8.",
        WARNING,
        report_fault("report-unreadable", "report-too-large"),
    ),
    Check(
        "report-empty",
        "Empty reports",
        "The report holds no text. The study is left out.",
        "Add the report, or remove the row.",
        WARNING,
        where(is_blank),
    ),
    Check(
        "report-headings-only",
        "Reports with headings only",
        "No text describes the picture. The study is left out.",
        "Add the report. If it has text, name its headings in report_grammar.yml.",
        WARNING,
        where(has_headings_only),
    ),
    Check(
        "report-boilerplate",
        "Reports with boilerplate only",
        "Sentences such as 'Report to follow' do not describe the picture, but the study takes part.",
        "Add the final report. Name such lines in report_grammar.yml.",
        WARNING,
        where(says_only_boilerplate),
        screen=True,
    ),
    Check(
        "report-truncated",
        "Reports that seem truncated",
        "The last sentence has no full stop although the other reports have one, or the last word is incomplete.",
        "Read the end of the report, and check the export for a length limit.",
        WARNING,
        truncated,
        screen=True,
    ),
    Check(
        "report-short",
        "Very short reports",
        f"Fewer than {FEWEST_WORDS} words describe the picture.",
        "Check whether the sections were found.",
        NOTE,
        where(lambda case: 0 < len(case.text.split()) < FEWEST_WORDS),
    ),
    Check(
        "report-long",
        "Very long reports",
        f"More than {MOST_WORDS} words. The model reads the beginning only.",
        "Check whether history and signature were removed. Name their headings in report_grammar.yml.",
        NOTE,
        where(lambda case: len(case.text.split()) > MOST_WORDS),
    ),
    Check(
        "report-control-characters",
        "Reports with control characters",
        "Control characters truncate texts in other programs and split words here.",
        "Export the report as plain text.",
        WARNING,
        where(contains(CONTROL)),
    ),
    Check(
        "report-markup",
        "Reports with markup",
        "The file holds HTML, XML, RTF, PDF, an HL7 message or encoded bytes instead of plain text.",
        "Export the report as plain text.",
        WARNING,
        where(is_marked_up),
    ),
    Check(
        "report-garbled",
        "Reports with garbled letters",
        "For example 'Ã¤' instead of 'ä': the text was read in a wrong encoding and saved.",
        "Export the report again as UTF-8.",
        WARNING,
        where(contains(GARBLED)),
    ),
    Check(
        "report-language",
        "Reports in another language than the others",
        "English, German, French, Spanish and Dutch are recognised by their frequent words.",
        "Leave them out, or make a separate site of them.",
        WARNING,
        of_another_language,
        screen=True,
    ),
    Check(
        "section-coverage",
        "Many reports without sections",
        "More than half have neither findings nor an impression under a heading. "
        "The whole text or its last paragraph is used, including history and signature.",
        "If the reports have headings, name them in report_grammar.yml.",
        NOTE,
        above(without_sections, SECTIONED),
    ),
)
