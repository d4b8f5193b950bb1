"""Reads a file or a cell that holds HL7 results as the reports in it."""

from __future__ import annotations

from pathlib import Path

from fedaid.data.messages.hl7_result import MessageReport, reports_in
from fedaid.data.messages.hl7_text import begins_as_message, decoded
from fedaid.data.unusable import UnusableStudy

MOST_BYTES = 1 << 28
"""Bytes of the largest file of messages; a batch holds many reports."""
ORDER_FIELDS = ("OBR-18", "OBR-3")
"""Kinds of keys in a message that can be the accession number, the preferred one first."""
_START = 64


def is_message_file(path: Path) -> bool:
    """Whether a file begins with the header of a message, a batch or a file of HL7 version 2."""
    try:
        with path.open("rb") as file:
            return begins_as_message(file.read(_START).decode("utf-8", "ignore"))
    except OSError:  # reading it as a report gives the reason
        return False


def file_reports(path: Path) -> list[MessageReport]:
    """Return the reports of a file of messages; one with a fault if it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return [MessageReport(fault="report-too-large")]
        return reports_in(decoded(path.read_bytes()))
    except UnusableStudy as unusable:
        return [MessageReport(fault=unusable.reason)]
    except OSError:
        return [MessageReport(fault="report-unreadable")]


def cell_report(text: str) -> MessageReport | None:
    """Return the report of a cell that holds one message, or None for a cell that holds none.

    Several reports in one cell have the fault "report-several".
    """
    if not begins_as_message(text[:_START]):
        return None
    found = reports_in(text)
    return found[0] if len(found) == 1 else MessageReport(fault="report-several")


def message_keys(report: MessageReport) -> tuple[tuple[str, str], ...]:
    """Return the keys of a report: kind, one of :data:`ORDER_FIELDS` or "study", and identifier."""
    given = (*zip(ORDER_FIELDS, (report.accessions, report.fillers), strict=True), ("study", report.studies))
    return tuple((kind, identifier) for kind, identifiers in given for identifier in identifiers)
