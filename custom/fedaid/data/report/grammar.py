"""The layout of a site's reports: the headings of each section, and the lines that belong to no section.

All patterns are for text with the white space of :func:`fedaid.data.report.sections.sections`: one blank, one line feed
or an empty line. A site's grammar consists of words only (:func:`of_words`), never of patterns, so matching takes
linear time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from fedaid.errors import InputError, closest, require

FALLBACKS = ("last paragraph", "whole text", "none")
"""What a report without findings and impression is replaced by, see :class:`ReportGrammar`."""

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
        fallback: the text of a report without findings and impression: the "last paragraph" of prose, the "whole text"
            of its prose, or "none". In a report without headings the first two are the whole text.
    """

    heading: re.Pattern[str]
    frame: re.Pattern[str]
    fallback: str = FALLBACKS[0]


def _heading(*, both: str, impression: str, findings: str, dropped: str, qualifier: str = "") -> re.Pattern[str]:
    """The pattern of a heading, from the alternatives of each section."""
    return re.compile(
        r"(?:^|(?<=[.;!?]) |(?P<inline>(?<= )))(?:\d{1,2}[.)] ?)?[*_#]{0,6} ?"
        rf"(?P<name>{qualifier}(?:(?P<both>{both})|(?P<impression>{impression})|(?P<findings>{findings}))"
        rf"|(?P<dropped>{dropped}))"  # closes the name
        r"(?: ?\([^()\n]{0,40}\))? ?[*_#]{0,6}"
        r"(?: ?[:：][*_]{0,6}| [-–—](?= )|(?P<bare>$))",
        re.IGNORECASE | re.MULTILINE,
    )


def _frame(alternatives: str) -> re.Pattern[str]:
    """The pattern of lines that belong to no section."""
    return re.compile(f"^(?:{alternatives})", re.IGNORECASE | re.MULTILINE)


ENGLISH = ReportGrammar(
    heading=_heading(both=_BOTH, impression=_IMPRESSION, findings=_FINDINGS, dropped=_DROPPED, qualifier=_QUALIFIER),
    frame=_frame(_FRAME),
)
"""The layouts of English reports."""


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
    """Return the grammar with these words as headings, in any case, with or without accents.

    "findings" and "impression" are always headings, because the columns of a manifest have these names.

    Args:
        findings: headings of the findings.
        impression: headings of the impression.
        joint: headings of findings and impression in one section.
        dropped: headings of sections to drop.
        boilerplate: first words of lines to drop.
        signatures: first words of lines to drop together with the lines below, up to an empty line or a heading.
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


FILE_NAME = "report_grammar.yml"
MAX_BYTES = 1 << 16
MAX_WORDS, MAX_LENGTH = 200, 80

HEADINGS = ("findings", "impression", "joint", "dropped")
LINES = ("boilerplate", "signatures")
_KEYS = (*HEADINGS, *LINES, "fallback")
_REMEDY = f"Compare {FILE_NAME} with the examples in docs/report-grammars."


def site_grammar(root: Path) -> ReportGrammar:
    """Return the grammar beside a site's manifest, or the English one if there is none."""
    file = root / FILE_NAME
    return read_grammar(file) if file.is_file() else ENGLISH


def read_grammar(file: Path) -> ReportGrammar:
    """Return the grammar of a YAML file.

    Its keys are those of :func:`fedaid.data.report.grammar.of_words`: six lists of words, and `fallback`.

    Raises:
        InputError: if the file is not readable YAML of at most 64 KiB, has an unknown key or fallback, a list that is
            too long or holds anything but words of 1 to 80 characters with a letter, one heading for two sections, or
            no heading of findings or impression.
    """
    content = _content(file)
    for key in content:
        known = key in _KEYS
        require(known, "key", "be a known one", got=key, where=file.name, remedy=closest(key, list(_KEYS)))
    words = {key: _words(content.get(key), key, where=file.name) for key in (*HEADINGS, *LINES)}
    _require_one_section_each(words, where=file.name)
    kept = words["findings"] or words["impression"] or words["joint"]
    rule = "name a heading of findings, impression or joint"
    require(bool(kept), "grammar", rule, got="none", where=file.name, remedy=_REMEDY)
    fallback = content.get("fallback", FALLBACKS[0])
    if fallback not in FALLBACKS:
        rule = f"be one of {', '.join(FALLBACKS)}"
        raise InputError("fallback", rule, got=repr(fallback)[:40], where=file.name, remedy=_REMEDY)
    return of_words(**words, fallback=str(fallback))


def _content(file: Path) -> Mapping[str, object]:
    """The mapping in a file. Anchors and repeated keys are errors, because a reader could miss their effect."""
    rule, where = "be a mapping in YAML, UTF-8, without anchors and repeated keys", file.name
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        got = f"more than {MAX_BYTES} bytes"
        require(len(data) <= MAX_BYTES, "grammar", "be small", got=got, where=where, remedy=_REMEDY)
        text = data.decode("utf-8-sig")
        plain_yaml = not any(isinstance(token, (yaml.AliasToken, yaml.AnchorToken)) for token in yaml.scan(text))
        root = yaml.compose(text, Loader=yaml.SafeLoader) if plain_yaml else None
        content = yaml.safe_load(text) if isinstance(root, yaml.MappingNode) else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("grammar", rule, got=type(error).__name__, where=where, remedy=_REMEDY) from None
    if not isinstance(root, yaml.MappingNode) or not isinstance(content, dict) or len(content) < len(root.value):
        raise InputError("grammar", rule, got="something else", where=where, remedy=_REMEDY)
    return {str(key)[:MAX_LENGTH]: value for key, value in content.items()}


def _words(given: object, key: str, *, where: str) -> tuple[str, ...]:
    """The words of one list."""
    if given is None:
        return ()
    rule = f"be a list of at most {MAX_WORDS} words"
    if not isinstance(given, list) or len(given) > MAX_WORDS:
        raise InputError(key, rule, got=f"a {type(given).__name__}", where=where, remedy=_REMEDY)
    for number, entry in enumerate(given, start=1):
        if not isinstance(entry, str) or len(entry) > MAX_LENGTH or not any(map(str.isalpha, entry)) or "\n" in entry:
            rule = f"hold words of at most {MAX_LENGTH} characters on one line"
            remedy = "Put it in quotes, without a colon at its end." if not isinstance(entry, str) else "Shorten it."
            raise InputError(f"{key}, entry {number},", rule, got="something else", where=where, remedy=remedy)
    return tuple(" ".join(entry.split()).removesuffix(":").rstrip() for entry in given)


def _require_one_section_each(words: Mapping[str, tuple[str, ...]], *, where: str) -> None:
    """Raise if one heading opens two sections."""
    owners = {"findings": "findings", "impression": "impression"}
    for kind in HEADINGS:
        for heading in words[kind]:
            owner = owners.setdefault(plain(heading), kind)
            got = f"{heading!r} under {owner} and {kind}"
            require(owner == kind, "heading", "open one section", got=got, where=where, remedy="Drop one of them.")
