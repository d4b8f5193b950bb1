"""The part of an English radiology report that describes the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# All patterns are for text whose white space `_tidy` has normalised: one blank, one line feed, or an empty line.
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
_HEADING = re.compile(
    r"(?:^|(?<=[.;!?]) |(?P<inline>(?<= )))(?:\d{1,2}[.)] ?)?[*_#]{0,6} ?"
    rf"(?P<name>{_QUALIFIER}(?:(?P<both>{_BOTH})|(?P<impression>{_IMPRESSION})|(?P<findings>{_FINDINGS}))"
    rf"|(?P<dropped>{_DROPPED}))"  # closes the name
    r"(?: ?\([^()\n]{0,40}\))? ?[*_#]{0,6}"
    r"(?: ?:[*_]{0,6}| [-–—](?= )|(?P<bare>$))",
    re.IGNORECASE | re.MULTILINE,
)
_FRAME = re.compile(
    r"^(?:(?:(?:final|preliminary) )?report$|end of (?:the )?report\b.*"
    r"|(?:electronically )?(?:signed|approved|verified|dictated|transcribed) ?(?:by\b|:).*"
    r"(?:\n(?!\n|[^\n:]{1,40}:).+)*)",  # the name may stand on the lines below
    re.IGNORECASE | re.MULTILINE,
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Report:
    """A report's two sections, each on one line and possibly empty, and the text that stands for the report."""

    findings: str = field(repr=False)
    impression: str = field(repr=False)
    text: str = field(repr=False)


def sections(report: str) -> Report:
    """Return the findings and the impression of a report, and the two as one text.

    History, indication, comparison, technique, names and signatures are dropped: they do not describe the picture, and
    they are where identifiers stand. A section under a heading that is not known belongs to the section before it.

    Args:
        report: free text in English; headings in any case, on a line of their own or before their text.

    Returns:
        A :class:`Report`; `text` is findings then impression. Without either: the whole text if there is no heading at
        all, else the last paragraph without one, or what stands before its first heading. It is empty where nothing
        with a letter is left.
    """
    plain = _FRAME.sub("", _tidy(report))
    headings = _headings(plain)
    ends = [match.start() for match in headings[1:]] + [len(plain)]
    bodies: dict[str, list[str]] = {"findings": [], "impression": [], "dropped": []}
    for match, end in zip(headings, ends, strict=False):
        bodies[_kind(match)].append(plain[match.end() : end])
    findings, impression = (_one_line(" ".join(bodies[kind])) for kind in ("findings", "impression"))
    text = _one_line(f"{findings} {impression}") or _fallback(plain)
    return Report(findings=findings, impression=impression, text=text)


def report_text(report: str) -> str:
    """Return the text that stands for a report, on one line: see :func:`sections`."""
    return sections(report).text


def _tidy(report: str) -> str:
    """The text with single blanks, none at the ends of lines, and at most one empty line in a row."""
    lines = (" ".join(line.split()) for line in report.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _headings(plain: str) -> list[re.Match[str]]:
    """The headings of a text in order."""
    return [match for match in _HEADING.finditer(plain) if _is_heading(match)]


def _is_heading(match: re.Match[str]) -> bool:
    """Whether a name is a heading: inside a line only in capitals, without a colon only alone and capitalised."""
    if match["inline"] is not None:
        return match["name"].isupper() and match["bare"] is None
    return match["bare"] is None or match["name"][0].isupper()


def _kind(match: re.Match[str]) -> str:
    """The section that a heading opens; a joint section of findings and impression counts as findings."""
    if match["dropped"] is not None:
        return "dropped"
    return "impression" if match["impression"] is not None else "findings"


def _fallback(plain: str) -> str:
    """The text of a report that has no section to keep: all, or the last free prose among its paragraphs."""
    if not _headings(plain):
        return _one_line(plain)
    free = ""
    for paragraph in plain.split("\n\n"):
        headings = _headings(paragraph)
        before = paragraph[: headings[0].start()] if headings else paragraph
        if not headings or before.endswith((".", "!", "?")):  # else it is a title
            free = _one_line(before) or free
    return free


def _one_line(text: str) -> str:
    """The text with every run of white space as one blank and no leading stop; empty if it holds no letter."""
    line = " ".join(text.split()).lstrip(".:;, ")
    return line if _LETTER.search(line) else ""
