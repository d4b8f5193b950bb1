"""The parts of a radiology report that describe the image."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fedaid.data.report.grammar import ENGLISH, ReportGrammar

_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Report:
    """The two sections of a report, each on one line and possibly empty, and the text that training uses."""

    findings: str = field(repr=False)
    impression: str = field(repr=False)
    text: str = field(repr=False)


def sections(report: str, grammar: ReportGrammar = ENGLISH) -> Report:
    """Return the findings and the impression of a report, and both as one text.

    History, indication, comparison, technique, names and signatures are dropped: they do not describe the image, and
    they hold most identifiers. Text under an unknown heading belongs to the section before it.

    Args:
        report: free text; headings in any case, on a separate line or before their text.
        grammar: the layout of the site's reports.

    Returns:
        A :class:`Report`. Its `text` is the findings and then the impression. If both are empty, it is the grammar's
        fallback; by default that is the whole text of a report without headings, else the last paragraph of prose. It
        is empty if no letter is left.
    """
    plain = grammar.frame.sub("", _tidy(report))
    headings = _headings(plain, grammar)
    ends = [match.start() for match in headings[1:]] + [len(plain)]
    bodies: dict[str, list[str]] = {"findings": [], "impression": [], "dropped": []}
    for match, end in zip(headings, ends, strict=False):
        bodies[_kind(match)].append(plain[match.end() : end])
    findings, impression = (_one_line(" ".join(bodies[kind])) for kind in ("findings", "impression"))
    text = _one_line(f"{findings} {impression}") or _fallback(plain, grammar)
    return Report(findings=findings, impression=impression, text=text)


def report_text(report: str, grammar: ReportGrammar = ENGLISH) -> str:
    """Return the `text` of :func:`sections`, on one line."""
    return sections(report, grammar).text


def _tidy(report: str) -> str:
    """The text with single blanks, no blanks at the ends of lines, and at most one empty line in a row."""
    lines = (" ".join(line.split()) for line in report.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _headings(plain: str, grammar: ReportGrammar) -> list[re.Match[str]]:
    """The headings of a text, in order."""
    return [match for match in grammar.heading.finditer(plain) if _is_heading(match)]


def _is_heading(match: re.Match[str]) -> bool:
    """Whether a match is a heading. Inside a line it needs capitals; without a colon, its own line and a capital."""
    if match["inline"] is not None:
        return match["name"].isupper() and match["bare"] is None
    return match["bare"] is None or not match["name"][0].islower()


def _kind(match: re.Match[str]) -> str:
    """The section that a heading opens; a joint section of findings and impression is findings."""
    if match["dropped"] is not None:
        return "dropped"
    return "impression" if match["impression"] is not None else "findings"


def _fallback(plain: str, grammar: ReportGrammar) -> str:
    """The text of a report without findings and impression: all of it, or prose among its paragraphs."""
    if grammar.fallback == "none":
        return ""
    if not _headings(plain, grammar):
        return _one_line(plain)
    free: list[str] = []
    for paragraph in plain.split("\n\n"):
        headings = _headings(paragraph, grammar)
        before = paragraph[: headings[0].start()] if headings else paragraph
        if not headings or before.endswith((".", "!", "?")):  # otherwise it is a title
            free.append(_one_line(before))
    kept = [prose for prose in free if prose]
    return " ".join(kept if grammar.fallback == "whole text" else kept[-1:])


def _one_line(text: str) -> str:
    """The text on one line, without leading punctuation; empty if it has no letter."""
    line = " ".join(text.split()).lstrip(".:;, ")
    return line if _LETTER.search(line) else ""
