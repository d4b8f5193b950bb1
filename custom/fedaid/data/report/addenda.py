"""Finds the addenda of a report: text that was added later and can reverse what the report says.

An addendum stands below the report, above it, or above a banner such as "FINAL REPORT". It ends at such a banner, at a
ruled line, at the next heading or with the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

ADDENDUM_WORDS = (
    "addendum", "addenda", "addend", "addended report", "amendment", "late entry", "correction", "erratum",
    "corrigendum",
    "addendum report", "addendum impression", "addendum findings", "addendum comment", "supplementary report",
    "supplemental report", "additional report",
    "Nachtrag", "Nachtragsbefund", "Befundnachtrag", "Ergänzungsbefund", "Zusatz", "ergänzend", "Nachbefund",
    "Nachbericht",
    "Zusatzbefund", "Ergänzung", "Ergänzender Befund", "Befundergänzung",
    "Berichtigung", "Korrektur", "Korrekturbefund", "Befundkorrektur",
    "complément", "complément d'interprétation",
    "complément de compte rendu", "compte rendu complémentaire", "additif", "ajout",
    "additif au compte rendu", "compte rendu additionnel", "avenant", "rectificatif",
    "note complémentaire",
    "adenda", "adendum", "añadido", "nota aclaratoria", "informe adicional", "anexo", "ampliación",
    "informe complementario", "nota adicional", "rectificación", "corrección",
    "fe de erratas",
    "aanvulling", "toevoeging", "aanvullend verslag", "naschrift", "correctie", "nagekomen verslag",
)  # fmt: skip
"""Headings of an addendum in five languages. They are known in every grammar, unless the site gives them a section."""

_RULE = "[*_#=–~-]"
_MARK = r"[*_#=–~<>|\[\]-]"
_COUNT = r"(?: ?(?:#|no\.?|nr\.?|n[º°])? ?\d{1,2})?"
_WHO = (
    r"(?: ?\([^()\n]{0,60}\)| ?\[[^\[\]\n]{0,60}\]"
    r""
    r"| (?:begins?|starts?|follows|below)(?: here)?(?= ?[:*_#=~–-]|$)"
    r"| (?:to|on|by|from|of|added|created|dated|at|vom|zum|von|du|au|del|al|de|por|par|van|bij|door|op|d\.d\.)(?!\w)"
    r"(?=[^\n]{0,60}(?:\d|\[|report|befund|bericht|rendu|informe|verslag))[^\n:]{0,60}?(?:\d{1,2}:\d{2}[^\n:]{0,30}?)?)"
)
_BEFORE = r"(?P<before>(?:[^\W\d_][\w.'’/-]{0,20} ){0,3}?)"
_NO_TITLE = ("end ", "see ", "please ", "per ", "no ", "without ", "siehe ", "voir ", "ver ", "zie ")
_ORDINAL = r"(?:(?:final|first|second|third|late|new|\d(?:st|nd|rd|th|er|e|º|\.)?|erster|zweiter|premier|segunda?) )?"
_BOUNDARY = re.compile(
    rf"^(?:{_RULE}{{5,}}$|{_RULE}{{0,40}} ?(?:"
    r"(?:(?:final|preliminary|original|initial|previous|prior|unaltered) )+report\b"
    r"|end (?:of )?(?:the )?addend|addend(?:um|a) ends?\b"
    r"|(?:end|original|vor)befund\b|(?:ursprünglicher|vorläufiger|originaler) befund\b"
    r"|compte[ -]rendu (?:initial|final|d['’]origine)|informe (?:original|inicial|definitivo|previo)"
    r"|(?:oorspronkelijk|definitief|voorlopig|eerste) verslag\b).{0,60}$)",
    re.IGNORECASE | re.MULTILINE,
)


def addendum_heading(words: str) -> re.Pattern[str]:
    """Return the pattern of an addendum's heading, from the alternatives of its words.

    Its group `name` is the words. `bare` matches without a colon, and `run` before text that follows without one.
    """
    ended = rf"{_COUNT}{_WHO}{{0,2}} ?{_MARK}{{0,80}}(?: ?[:：]{_RULE}{{0,80}}| [-–—](?= )|(?P<bare>\.?$))"
    return re.compile(
        rf"(?:^{_MARK}{{0,80}} ?{_BEFORE}|(?<=[.;!?]) |(?P<inline>(?<= )(?=(?-i:[A-ZÀ-Þ\d])))){_ORDINAL}"
        rf"(?P<name>{words})"
        rf"(?:{ended}|{_COUNT}(?P<run>[.\]]?(?= (?-i:[A-ZÀ-Þ][a-zß-ÿ]|\d{{1,2}}[.)]))))",
        re.IGNORECASE | re.MULTILINE,
    )


def without_addenda(
    text: str, heading: re.Pattern[str], *, others: Callable[[str], Iterable[int]]
) -> tuple[str, tuple[str, ...]]:
    """Return a report without its addenda, and the text of each addendum.

    Args:
        text: a report with single blanks.
        heading: the result of :func:`addendum_heading`.
        others: returns where the other headings of a text begin.
    """
    starts = [match for match in heading.finditer(text) if _opens(match)]
    if not starts:
        return text, ()
    stops = sorted({*others(text), *(match.start() for match in starts), len(text)})
    rest, found, place = "", [], 0
    for match in starts:
        begin = _below_rule(text, match.end())
        stop = next(stop for stop in stops if stop >= min(begin, len(text)) and stop > match.start())
        boundary = _BOUNDARY.search(text, begin, stop)
        end = boundary.start() if boundary else stop
        if text[begin:end].strip() or end < len(text):
            found.append(text[begin:end])
        rest += text[place : match.start()] + "\n\n"
        place = max(end, begin)
    return rest + text[place:], tuple(found)


def _opens(match: re.Match[str]) -> bool:
    """Whether a match opens an addendum: within a line, or without a colon before its text, it needs capitals."""
    name, before = match["name"], match["before"] or ""
    if before.casefold().startswith(_NO_TITLE):
        return False
    if before and not (before.isupper() and name.isupper()) and not match[0].rstrip("*_#=~ ").endswith((":", "：")):
        return False
    if match["run"] is not None:
        return name.isupper()
    if match["inline"] is not None:
        return name.isupper() and match["bare"] is None
    return match["bare"] is None or not name[0].islower()


def _below_rule(text: str, place: int) -> int:
    """Return where the text of an addendum begins: a ruled line directly below its heading is skipped."""
    ruled = re.compile(rf"\s{{0,4}}{_RULE}{{3,}}(?=\n)").match(text, place)
    return ruled.end() if ruled else place
