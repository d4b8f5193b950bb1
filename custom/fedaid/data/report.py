"""The part of an English radiology report that describes the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


def _either(*phrases: str) -> str:
    """One regular expression for several, in which a blank stands for a gap within a line and ~ for an optional one."""
    return "|".join(phrases).replace(" ", r"[ \t]+").replace("~", r"[ \t]*")


_EXAM = "(?:exam|examination|study|test|request|referral)"
_CLINICAL = "(?:(?:clinical|patient|brief|past|medical|relevant|pertinent|present|surgical) )*"
_BOTH = _either("findings?(?: and |~[&/,]~| )(?:impressions?|conclusions?)")
_IMPRESSION = _either("impressions?(?:(?: and |~[&/]~)(?:recommendations?|plan))?|conclusions?|opinion|summary")
_FINDINGS = _either("findings?", "observations?", "interpretation", "report")
_DROPPED = _either(
    f"{_CLINICAL}(?:history|information|indications?|details|data|context|questions?|symptoms?|diagnosis)",
    f"(?:indications?|reason)(?: for(?: this| the)? {_EXAM})?|clinical impression",
    "comparisons?(?: (?:studies|study|exams?|examinations?))?|prior (?:studies|study|exams?|examinations?)",
    "techniques?|technical (?:factors|details)|procedures?(?: comments?)?|protocol|views?|contrast|dose",
    f"(?:type of )?{_EXAM}(?: (?:type|date|name|description))?|date(?: of (?:{_EXAM}|service|birth))?",
    "recommendations?|notifications?|communication|addendum|attestation|wet read|accession(?: (?:no|number))?",
    "(?:(?:referring|ordering|attending|reporting) )?(?:physician|clinician|doctor|radiologist)",
    "(?:patient )?(?:name|id)|patient|mrn|dob|sex|gender|age",
)
_QUALIFIER = _either("(?:(?:chest|radiographic|radiological|imaging|x-?ray|provisional|preliminary|final) )?")
_HEADING = re.compile(
    r"(?:^[ \t]*|(?<=[.;!?])[ \t]+|(?P<inline>(?<=[ \t])))(?:\d{1,2}[.)][ \t]*)?[*_#]*[ \t]*"
    rf"(?P<name>{_QUALIFIER}(?:(?P<both>{_BOTH})|(?P<impression>{_IMPRESSION})|(?P<findings>{_FINDINGS})"
    rf"|(?P<dropped>{_DROPPED})))(?:[ \t]*\([^()\n]{{0,40}}\))?[ \t]*[*_#]*"
    r"(?:[ \t]*:[*_]*|[ \t]+[-–—](?=[ \t])|(?P<bare>[ \t]*$))",
    re.IGNORECASE | re.MULTILINE,
)
_FRAME = re.compile(
    r"^[ \t]*(?:(?:final|preliminary)?[ \t]*report[ \t]*$|end[ \t]+of[ \t]+(?:the[ \t]+)?report\b.*"
    r"|(?:electronically[ \t]+)?(?:signed|approved|verified|dictated|transcribed)[ \t]*(?:by\b|:).*"
    r"(?:\n(?!\s*\n|[^\n:]{1,40}:).*)*)",  # the name may stand on the lines below
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
        all, else the last paragraph that holds none. It is empty where nothing with a letter is left.
    """
    plain = _FRAME.sub("", report.replace("\r\n", "\n").replace("\r", "\n"))
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
    """The text of a report that has no section to keep."""
    if not _headings(plain):
        return _one_line(plain)
    free = [_one_line(paragraph) for paragraph in re.split(r"\n[ \t]*\n", plain) if not _headings(paragraph)]
    return next((paragraph for paragraph in reversed(free) if paragraph), "")


def _one_line(text: str) -> str:
    """The text with every run of white space as one blank; empty if it holds no letter."""
    line = " ".join(text.split())
    return line if _LETTER.search(line) else ""
