"""The layout of a site's reports: the headings of each section, and the lines that belong to no section.

All patterns are for text with the white space of :func:`fedaid.data.report.sections.sections`: one blank, one line feed
or an empty line. A site's grammar consists of words only (:func:`of_words`), never of patterns, so matching takes
linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fedaid.data.report.addenda import ADDENDUM_WORDS, addendum_heading
from fedaid.data.report.heading_spelling import spellings

FALLBACKS = ("last paragraph", "whole text", "none")
"""What a report without findings and impression is replaced by, see :class:`ReportGrammar`."""

_EXAM = "(?:exam|examination|study|test|request|referral)"
_CLINICAL = "(?:(?:clinical|patient|brief|past|medical|relevant|pertinent|present|surgical) ){0,3}"
_BOTH = "narrative(?: and | ?[&/] ?)impressions?|findings?(?: and | ?[&/,] ?| )(?:impressions?|conclusions?)"
_IMPRESSION = (
    "impressions?(?:(?: and | ?[&/] ?)(?:recommendations?|plan))?|conclusions?|opinion|assessment|summary|imp"
    "|impr|concl"
)
_FINDINGS = (
    "findings?|observations?|interpretation|(?:radiology )?report(?: text)?|body of (?:the )?report"
    "|(?:study |full |exam(?:ination)? )?results?|descriptions?|comments?|narrative"
)
_DROPPED = "|".join(
    (
        f"{_CLINICAL}(?:history|information|indications?|details|data|context|questions?|symptoms?|diagnosis)",
        f"(?:indications?|reason)(?: for(?: this| the)? {_EXAM})?|clinical impression",
        "comparisons?(?: (?:studies|study|exams?|examinations?))?|prior (?:studies|study|exams?|examinations?)",
        "techniques?|technical (?:factors|details)|procedures?(?: comments?)?|protocol|views?|contrast|dose",
        f"(?:type of )?{_EXAM}(?: (?:type|date|name|description))?|date(?: of (?:{_EXAM}|service|birth))?",
        "recommendations?|notifications?|communication|attestation|wet read|accession(?: (?:no|number))?",
        "(?:(?:referring|ordering|attending|reporting) )?(?:physician|clinician|doctor|radiologist)",
        "(?:patient )?(?:name|id)|patient|mrn|dob|sex|gender|age",
    )
)
_QUALIFIER = (
    "(?:(?:chest|thoracic|lung|radiographic|radiologic(?:al)?|imaging|x-?ray|diagnostic|provisional|preliminary|final"
    "|original|initial|overall|main|key|pertinent|other|additional|further|incidental|amended|addended|revised|corrected|updated"
    "|plain|film|radiograph|cxr) ){0,3}"
)
_SPELLED = (
    "findings", "impression", "impressions", "conclusion", "conclusions", "observations", "interpretation", "results",
    "summary", "opinion", "findings and impression", "chest findings", "addendum", "history", "clinical history",
    "clinical information", "clinical indication", "clinical details", "medical history", "indication", "indications",
    "comparison", "comparisons", "technique", "procedure", "examination", "reason for exam", "reason for examination",
    "reason for study", "recommendation", "recommendations", "notification",
)  # fmt: skip
_BELOW = r"(?:\n(?!\n|[^\n:]{1,40}:).+)*"  # the name may be on the lines below
_FRAME = (
    r"(?:(?:final|preliminary) )?report$|end of (?:the )?report\b.*"
    rf"|(?:electronically )?(?:signed|approved|verified|dictated|transcribed) ?(?:by\b|:).*{_BELOW}"
)
_NEVER = r"(?!)"


@dataclass(frozen=True)
class ReportGrammar:
    """The layout of one site's reports.

    Args:
        heading: finds a heading. One of its groups `both`, `impression`, `findings` and `dropped` matches and is the
            section that it opens. `name` is its words; `inline` matches inside a line, `bare` without a colon.
        frame: finds lines that belong to no section: titles, signatures, boilerplate.
        run_in: finds a heading that runs into its text: "FINDINGS The lungs", "Findings. The lungs".
        addendum: finds the heading of an addendum, see :func:`fedaid.data.report.addenda.addendum_heading`.
        spellings: see :func:`fedaid.data.report.heading_spelling.spellings`.
        fallback: the text of a report without findings and impression: the "last paragraph" of prose, the "whole text"
            of its prose, or "none". In a report without headings the first two are the whole text.
    """

    heading: re.Pattern[str]
    frame: re.Pattern[str]
    run_in: re.Pattern[str]
    addendum: re.Pattern[str]
    spellings: Mapping[str, str] = field(repr=False)
    fallback: str = FALLBACKS[0]

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """The texts of all patterns: two grammars with one identity cut every report alike."""
        patterns = (self.heading, self.frame, self.run_in, self.addendum)
        return (*(pattern.pattern for pattern in patterns), *sorted(self.spellings), self.fallback)


def _names(*, both: str, impression: str, findings: str, dropped: str, qualifier: str = "") -> str:
    """The pattern of a heading's words, from the alternatives of each section."""
    return (
        rf"(?P<name>{qualifier}(?:(?P<both>{both})|(?P<impression>{impression})|(?P<findings>{findings}))"
        rf"|(?P<dropped>{dropped}))"  # closes the name
    )


def _heading(names: str) -> re.Pattern[str]:
    """The pattern of a heading on a separate line or before a colon or dash."""
    return re.compile(
        r"(?:(?:^|(?<=[.;!?]) |(?P<inline>(?<= )(?=(?-i:[*_#=•>A-ZÀ-Þ-]))))(?:(?:\d{1,2}|[A-Z])[.)] ?)?[*_#=•>-]{0,6} ?"
        r"|(?P<glued>(?<=[.;!?)\]])(?=(?-i:[A-ZÀ-Þ]))))"
        rf"{names}(?: ?\([^()\n]{{0,40}}\)|(?P<of>(?: (?:on|of|for|from|in)|,) [^\n:.;]{{2,40}}(?=:)))? ?[*_#=]{{0,6}}"
        r"(?: ?[:：][*_]{0,6}| [-–—](?= )|(?P<bare>$))",
        re.IGNORECASE | re.MULTILINE,
    )


def _run_in(names: str) -> re.Pattern[str]:
    """The pattern of a heading that no colon separates from its sentence; group `run` is its stop, if any."""
    return re.compile(
        rf"(?:^|(?<=[.;!?]) |(?P<inline>(?<= )))(?=(?-i:[A-ZÀ-Þ])){names}"
        r"(?P<run>\.?)(?=[ \n]{1,2}(?-i:[A-ZÀ-Þ][a-zß-ÿ]|\d{1,2}[.)] ))",
        re.IGNORECASE | re.MULTILINE,
    )


def _frame(alternatives: str) -> re.Pattern[str]:
    """The pattern of lines that belong to no section."""
    return re.compile(f"^(?:{alternatives})", re.IGNORECASE | re.MULTILINE)


_ENGLISH = _names(both=_BOTH, impression=_IMPRESSION, findings=_FINDINGS, dropped=_DROPPED, qualifier=_QUALIFIER)


def of_words(
    *,
    findings: Iterable[str] = (),
    impression: Iterable[str] = (),
    joint: Iterable[str] = (),
    dropped: Iterable[str] = (),
    addendum: Iterable[str] = (),
    boilerplate: Iterable[str] = (),
    signatures: Iterable[str] = (),
    fallback: str = FALLBACKS[0],
) -> ReportGrammar:
    """Return the grammar with these words as headings, in any case, with or without accents.

    "findings" and "impression" are always headings, because the columns of a manifest have these names.

    Args:
        findings: headings of the findings.
        impression: headings of the impression.
        joint: headings of findings and impression in one section.
        dropped: headings of sections to drop.
        addendum: headings of addenda, beside :data:`fedaid.data.report.addenda.ADDENDUM_WORDS`.
        boilerplate: first words of lines to drop.
        signatures: first words of lines to drop together with the lines below, up to an empty line or a heading.
        fallback: one of :data:`FALLBACKS`.
    """
    lines = rf"(?:{_alternatives(boilerplate)})(?!\w).*|(?:{_alternatives(signatures)})(?!\w).*{_BELOW}"
    kinds = [list(given) for given in (findings, impression, joint, dropped)]
    headings = [heading for kind in kinds for heading in kind]
    taken = {plain(heading) for heading in headings}
    known = [word for word in (*ADDENDUM_WORDS, *addendum) if plain(word) not in taken]
    names = _names(
        findings=_alternatives([*kinds[0], "findings"]),
        impression=_alternatives([*kinds[1], "impression"]),
        both=_alternatives(kinds[2]),
        dropped=_alternatives(kinds[3]),
    )
    return ReportGrammar(
        heading=_heading(names),
        frame=_frame(lines),
        run_in=_run_in(names),
        addendum=addendum_heading(rf"(?:{_alternatives(known)})(?!\w)"),
        spellings=spellings([*headings, "findings", "impression"]),
        fallback=fallback,
    )


def plain(words: str) -> str:
    """Return words in lower case, with single blanks and without accents, to compare headings."""
    letters = unicodedata.normalize("NFKD", " ".join(words.casefold().split()))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("’", "'")


def _alternatives(phrases: Iterable[str]) -> str:
    """The pattern of one of the phrases, the longest first; it never matches if there are no phrases."""
    ordered = sorted({" ".join(phrase.split()) for phrase in phrases} - {""}, key=lambda phrase: (-len(phrase), phrase))
    return "|".join("".join(map(_letter, unicodedata.normalize("NFC", phrase))) for phrase in ordered) or _NEVER


def _letter(letter: str) -> str:
    """The pattern of one letter: its accent may be missing or a separate character, and ä may be written ae."""
    if letter in "'’":
        return "['’]"
    if letter in "ßẞ":
        return "(?:ß|ss)"
    base, *accents = list(unicodedata.normalize("NFD", letter))
    if not accents:
        return re.escape(letter)
    spelled = "e?" if accents == ["\u0308"] and base in "aouAOU" else ""
    return f"(?:{re.escape(letter)}|{re.escape(base)}(?:{''.join(accents)})?{spelled})"


ENGLISH = ReportGrammar(
    heading=_heading(_ENGLISH),
    frame=_frame(_FRAME),
    run_in=_run_in(_ENGLISH),
    addendum=addendum_heading(rf"(?:{_alternatives(ADDENDUM_WORDS)})(?!\w)"),
    spellings=spellings(_SPELLED),
)
"""The layouts of English reports."""
