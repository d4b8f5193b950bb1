"""Reads the reports in HL7 version 2 results (ORU): their text, their numbers and their status, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fedaid.data.messages.hl7_text import messages_of, plain_text
from fedaid.data.unusable import UnusableStudy

TEXT_TYPES = ("TX", "FT", "ST")
"""Types of OBX segments whose text is read. Encoded documents, codes and numbers are not."""
_REMOVED = ("D", "X", "W")  # OBX-11: deleted, no result, wrong patient
_SECTIONS = {
    "GDT": "FINDINGS", "IMP": "IMPRESSION", "ADT": "ADDENDUM", "ADD": "ADDENDUM", "FND": "FINDINGS",
    "REC": "RECOMMENDATION",
    "18782-3": "FINDINGS", "59776-5": "FINDINGS", "19005-8": "IMPRESSION", "55111-9": "TECHNIQUE", "18785-6": "HISTORY",
    "11329-0": "HISTORY", "55115-0": "HISTORY", "18834-2": "COMPARISON", "18783-1": "RECOMMENDATION",
    "55107-7": "ADDENDUM", "FINDINGS": "FINDINGS", "IMPRESSION": "IMPRESSION", "CONCLUSION": "IMPRESSION",
    "ADDENDUM": "ADDENDUM", "HISTORY": "HISTORY", "INDICATION": "HISTORY", "TECHNIQUE": "TECHNIQUE",
    "COMPARISON": "COMPARISON", "RECOMMENDATION": "RECOMMENDATION",
}  # fmt: skip
"""Code of an observation → heading. A code of LOINC, a suffix as in "71046&IMP", or a heading itself."""


@dataclass(frozen=True)
class MessageReport:
    """One report of a message, or the code of the reason why there is none.

    Attributes:
        text: text of its OBX segments.
        accessions: OBR-18 of its orders.
        fillers: OBR-3 of its orders.
        studies: StudyInstanceUID of ZDS-1.
        status: code of HL7 table 0123, or empty; C if one segment was corrected.
        written: OBR-22, else MSH-7.
        fault: code of :data:`fedaid.data.unusable.REMEDIES`, or empty.
    """

    text: str = field(default="", repr=False)
    accessions: tuple[str, ...] = field(default=(), repr=False)
    fillers: tuple[str, ...] = field(default=(), repr=False)
    studies: tuple[str, ...] = field(default=(), repr=False)
    status: str = ""
    written: str = field(default="", repr=False)
    fault: str = ""


def reports_in(text: str) -> list[MessageReport]:
    """Return the reports of all messages of a text, one for each order that text segments follow.

    A message without one, that is no result or that cannot be read has the fault "report-message".
    """
    return [report for message in messages_of(text) for report in _reports(message)] or [_refused()]


def _refused(code: str = "report-message") -> MessageReport:
    return MessageReport(fault=code)


def _reports(message: str) -> list[MessageReport]:
    import hl7  # only where a message is read
    import hl7.util

    hl7.util.logger.disabled = True  # it logs fields
    try:
        parsed = hl7.parse(message)
        if _part(parsed[0], 9) != "ORU":
            return [_refused()]
        studies = tuple(filter(None, (_part(one, 1) for one in parsed if _name(one) == "ZDS")))
        found = [_report(orders, texts, studies, message=parsed) for orders, texts in _groups(parsed)]
    except UnusableStudy as unusable:
        return [_refused(unusable.reason)]
    except (hl7.HL7Exception, IndexError, KeyError, ValueError, AssertionError):
        return [_refused()]
    if len(found) > 1:  # ZDS does not say which order it is of
        found = [MessageReport(**{**vars(one), "studies": ()}) for one in found]
    return found or [_refused()]


def _groups(parsed: Any) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield the orders and the text segments of each report. Orders without text between them share a report."""
    orders: list[Any] = []
    texts: list[Any] = []
    for segment in parsed:
        if _name(segment) == "OBR":
            if texts:
                yield orders, texts
                orders, texts = [], []
            orders.append(segment)
        elif _name(segment) == "OBX" and _part(segment, 2) in TEXT_TYPES and _part(segment, 11) not in _REMOVED:
            texts.append(segment)
    if texts:
        yield orders, texts


def _report(orders: list[Any], texts: list[Any], studies: tuple[str, ...], *, message: Any) -> MessageReport:
    """One report of its orders and its text segments."""
    lines: list[str] = []
    heading = ""
    for segment in texts:
        below = _heading(segment)
        if below and below != heading:
            lines.append(f"\n{below}:")
        heading = below or heading
        lines.append(plain_text(message, _raw(segment, 5)))
    observed = [_part(segment, 11) for segment in texts]
    stated = next((status for order in orders if (status := _part(order, 25))), next(iter(filter(None, observed)), ""))
    return MessageReport(
        text="\n".join(lines),
        accessions=tuple(dict.fromkeys(filter(None, (_part(order, 18) for order in orders)))),
        fillers=tuple(dict.fromkeys(filter(None, (_part(order, 3) for order in orders)))),
        studies=studies,
        status="C" if "C" in observed and stated in ("", "F", "C") else stated,
        written=next((when for order in orders if (when := _part(order, 22))), "") or _part(message[0], 7),
    )


def _heading(segment: Any) -> str:
    """The heading that the code of an observation stands for, or an empty text."""
    code = _raw(segment, 3)
    _, _, _, component, part = segment.separators
    names = [name.strip().upper() for one in code.split(component)[:2] for name in reversed(one.split(part))]
    return next((_SECTIONS[name] for name in names if name in _SECTIONS), "")


def _name(segment: Any) -> str:
    return str(segment[0])


def _raw(segment: Any, number: int) -> str:
    """A field as it is in the message, empty if the segment is shorter."""
    return str(segment[number]) if len(segment) > number else ""


def _part(segment: Any, number: int) -> str:
    """The first component of the first repetition of a field."""
    _, _, repetition, component, part = segment.separators
    value = _raw(segment, number)
    for separator in (repetition, component, part):
        value = value.split(separator)[0]
    return value.strip().strip('"')
