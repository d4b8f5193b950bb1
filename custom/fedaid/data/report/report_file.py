"""Reads the text of a report's file, or gives the reason why it cannot be used."""

from __future__ import annotations

import html
import re
from pathlib import Path

from fedaid.data.report.foreign_text import is_document, is_message
from fedaid.data.unusable import UnusableStudy

MAX_BYTES = 1 << 20

_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[A-Za-z]{2,8});")
_DOCUMENT = (b"%PDF-", b"{\\rtf", b"PK\3\4")  # the last is of Word files since 2007; older ones are not UTF-8


def read_report_file(path: Path) -> str:
    """Return the text of a report's file, with or without a byte order mark.

    Raises:
        UnusableStudy: "report-missing", "report-too-large", "report-unreadable", or a code of :func:`plain_report`.
    """
    try:
        if not path.is_file():  # a pipe would block
            raise UnusableStudy("report-missing")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UnusableStudy("report-too-large")
        return plain_report(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnusableStudy(_reason_of(data)) from None
    except OSError:
        raise UnusableStudy("report-unreadable") from None


def plain_report(text: str) -> str:
    """Return a report if it is plain text, with entities of HTML such as "&nbsp;" as characters.

    Raises:
        UnusableStudy: "report-not-text" for a document, a data format or encoded bytes, "report-message" for an HL7
            message, wherever in the text it begins. It would look like words and hide identifiers from the scrubber.
    """
    if is_message(text):
        raise UnusableStudy("report-message")
    if is_document(text):
        raise UnusableStudy("report-not-text")
    return _ENTITY.sub(lambda match: html.unescape(match[0]).replace("\xa0", " "), text)


def _reason_of(data: bytes) -> str:
    """Return the refusal code for bytes that are not UTF-8."""
    return "report-not-text" if data.startswith(_DOCUMENT) else "report-unreadable"
