"""How the reports of a site are laid out: which words head which section, and which lines say nothing of the picture.

All patterns are for text whose white space :func:`fedaid.data.report.sections` has normalised: one blank, one line
feed, or an empty line. A site's own grammar is made of words only (:func:`of_words`), never of patterns, so that none
can take more than linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

FALLBACKS = ("last paragraph", "whole text", "none")
"""What stands for a report that has no section to keep, see :class:`ReportGrammar`."""

_EXAM = "(?:exam|examination|study|test|request|referral)"
_CLINICAL = "(?:(?:clinical|patient|brief|past|medical|relevant|pertinent|present|surgical) ){0,3}"
_BOTH = "findings?(?: and | ?[&/,] ?| )(?:impressions?|conclusions?)"
_IMPRESSION = "impressions?(?:(?: and | ?[&/] ?)(?:recommendations?|plan))?|conclusions?|opinion|summary"
_FINDINGS = "findings?|observations?|interpretation|report"
_DROPPED = "|".join(
    (
        f"{_CLINICAL}(?:history|information|indications?|details|data|context|questions?|symptoms?|diagnosis)",
        f"(?:indications?|reason)(?: for(?: this| the)? {_EXAM})?|clinical impression",
        "comparisons?(?: (?:studies|study|exams?|examinations?))?|prior (?:studies|study|exams?|examinations?)",
        "techniques?|technical (?:factors|details)|procedures?(?: comments?)?|protocol|views?|contrast|dose",
        f"(?:type of )?{_EXAM}(?: (?:type|date|name|description))?|date(?: of (?:{_EXAM}|service|birth))?",
        "recommendations?|notifications?|communication|addendum|attestation|wet read|accession(?: (?:no|number))?",
        "(?:(?:referring|ordering|attending|reporting) )?(?:physician|clinician|doctor|radiologist)",
        "(?:patient )?(?:name|id)|patient|mrn|dob|sex|gender|age",
    )
)
_QUALIFIER = "(?:(?:chest|radiographic|radiological|imaging|x-?ray|provisional|preliminary|final) )?"
_BELOW = r"(?:\n(?!\n|[^\n:]{1,40}:).+)*"  # the name may stand on the lines below
_FRAME = (
    r"(?:(?:final|preliminary) )?report$|end of (?:the )?report\b.*"
    rf"|(?:electronically )?(?:signed|approved|verified|dictated|transcribed) ?(?:by\b|:).*{_BELOW}"
)
_NEVER = r"(?!)"


@dataclass(frozen=True)
class ReportGrammar:
    """The layout of one site's reports.

    Args:
        heading: finds a heading; its groups `both`, `impression`, `findings` and `dropped` say which section it opens,
            `name` is its words, `inline` is set inside a line and `bare` without a colon.
        frame: finds lines that belong to no section: titles, signatures, boilerplate.
        fallback: what stands for a report that has no section to keep: its "last paragraph" of free prose, the "whole
            text" of free prose in it, or "none". Without any heading the first two are the whole text.
    """

    heading: re.Pattern[str]
    frame: re.Pattern[str]
    fallback: str = FALLBACKS[0]


def _heading(*, both: str, impression: str, findings: str, dropped: str, qualifier: str = "") -> re.Pattern[str]:
    """The pattern of a heading with the alternatives of each kind."""
    return re.compile(
        r"(?:^|(?<=[.;!?]) |(?P<inline>(?<= )))(?:\d{1,2}[.)] ?)?[*_#]{0,6} ?"
        rf"(?P<name>{qualifier}(?:(?P<both>{both})|(?P<impression>{impression})|(?P<findings>{findings}))"
        rf"|(?P<dropped>{dropped}))"  # closes the name
        r"(?: ?\([^()\n]{0,40}\))? ?[*_#]{0,6}"
        r"(?: ?[:：][*_]{0,6}| [-–—](?= )|(?P<bare>$))",
        re.IGNORECASE | re.MULTILINE,
    )


def _frame(alternatives: str) -> re.Pattern[str]:
    """The pattern of lines without a section."""
    return re.compile(f"^(?:{alternatives})", re.IGNORECASE | re.MULTILINE)


ENGLISH = ReportGrammar(
    heading=_heading(both=_BOTH, impression=_IMPRESSION, findings=_FINDINGS, dropped=_DROPPED, qualifier=_QUALIFIER),
    frame=_frame(_FRAME),
)
"""The layouts that reports in English have."""


def of_words(
    *,
    findings: Iterable[str] = (),
    impression: Iterable[str] = (),
    joint: Iterable[str] = (),
    dropped: Iterable[str] = (),
    boilerplate: Iterable[str] = (),
    signatures: Iterable[str] = (),
    fallback: str = FALLBACKS[0],
) -> ReportGrammar:
    """Return the grammar in which these words, in any case, with or without accents, are the headings.

    The words "findings" and "impression" are always known: a manifest's columns of these names are read by them.

    Args:
        findings: headings of the findings.
        impression: headings of the impression.
        joint: headings of findings and impression in one section.
        dropped: headings of sections to drop.
        boilerplate: a line that begins with one of them is dropped.
        signatures: such a line is dropped, and with it the lines below up to an empty line or a heading.
        fallback: one of :data:`FALLBACKS`.
    """
    lines = rf"(?:{_alternatives(boilerplate)})(?!\w).*|(?:{_alternatives(signatures)})(?!\w).*{_BELOW}"
    return ReportGrammar(
        heading=_heading(
            both=_alternatives(joint),
            impression=_alternatives([*impression, "impression"]),
            findings=_alternatives([*findings, "findings"]),
            dropped=_alternatives(dropped),
        ),
        frame=_frame(lines),
        fallback=fallback,
    )


def plain(words: str) -> str:
    """Return words in the form in which two headings are the same: lower case, single blanks, no accents."""
    letters = unicodedata.normalize("NFKD", " ".join(words.casefold().split()))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("’", "'")


def _alternatives(phrases: Iterable[str]) -> str:
    """The pattern of one of the phrases, the longest first; one that never matches if there is none."""
    ordered = sorted({" ".join(phrase.split()) for phrase in phrases} - {""}, key=lambda phrase: (-len(phrase), phrase))
    return "|".join("".join(map(_letter, unicodedata.normalize("NFC", phrase))) for phrase in ordered) or _NEVER


def _letter(letter: str) -> str:
    """The pattern of one letter as people type it: an accent may be missing or follow, an umlaut may be spelled out."""
    if letter in "'’":
        return "['’]"
    if letter in "ßẞ":
        return "(?:ß|ss)"
    base, *accents = list(unicodedata.normalize("NFD", letter))
    if not accents:
        return re.escape(letter)
    spelled = "e?" if accents == ["\u0308"] and base in "aouAOU" else ""
    return f"(?:{re.escape(letter)}|{re.escape(base)}(?:{''.join(accents)})?{spelled})"
