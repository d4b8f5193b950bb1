"""Reads the text of a report's file, or gives the reason why it cannot be used."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from fedaid.data.unusable import UnusableStudy

MAX_BYTES = 1 << 20

_DOCUMENT = ("%PDF-", "{\\rtf", "PK\3\4")  # the last is of Word files since 2007; older ones are not UTF-8
_MARKUP = re.compile(r"<(?:!doctype|!--|\?xml|html|head|body|div|p|span|table|font|pre|br)\b", re.IGNORECASE)
_SHORTEST_CODE = 40  # characters without a blank; no word of a report is longer


def read_report_file(path: Path) -> str:
    """Return the text of a report's file, with or without a byte order mark.

    Raises:
        UnusableStudy: "report-missing", "report-too-large", "report-unreadable" or "report-not-text".
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
    """Return a report if it is plain text.

    Raises:
        UnusableStudy: "report-not-text" for a document or an encoded one. It would look like words and hide identifiers
            from the scrubber.
    """
    start = text.lstrip()[:64]
    if start.startswith(_DOCUMENT) or _MARKUP.match(start) or _is_base64(text):
        raise UnusableStudy("report-not-text")
    return text


def _reason_of(data: bytes) -> str:
    """Return the refusal code for bytes that are not UTF-8."""
    return "report-not-text" if data.startswith(tuple(magic.encode() for magic in _DOCUMENT)) else "report-unreadable"


def _is_base64(text: str) -> bool:
    """Whether the text is base64, possibly over several lines."""
    *lines, last = text.split() or [""]
    if len(lines[0] if lines else last) < _SHORTEST_CODE:
        return False
    try:
        base64.b64decode("".join([*lines, last]), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
