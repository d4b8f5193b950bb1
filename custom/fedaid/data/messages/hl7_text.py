"""Prepares HL7 version 2 for its parser: messages of a file, their character set, and the escapes of their text.

The parser (python-hl7) ends a text at an escape character without a partner, and logs the field. Such a character is
therefore escaped first. Hexadecimal escapes are decoded here, because they are bytes of a character set.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from fedaid.data.unusable import UnusableStudy

_START = re.compile(r"\A[\s\x0b\ufeff]*(?:MSH|FHS|BHS)[^\w\r\n ][^\w\s]{1,6}")
_LITERAL_END = re.compile(r"(?:\\r\\n|\\r|\\n|<cr>)(?=[A-Z][A-Z0-9]{2}[^\w\s])", re.IGNORECASE)
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}\Z")
_BATCH = ("FHS", "BHS", "BTS", "FTS")
_SETS = {
    "": "utf-8", "ASCII": "utf-8", "UNICODE": "utf-8", "UTF-8": "utf-8", "UNICODE UTF-8": "utf-8", "8859/1": "cp1252",
    "8859/2": "iso8859-2", "8859/3": "iso8859-3", "8859/4": "iso8859-4", "8859/5": "iso8859-5", "8859/7": "iso8859-7",
    "8859/9": "cp1254", "8859/15": "iso8859-15", "8859-1": "cp1252", "ISO-8859-1": "cp1252", "ISO_IR 100": "cp1252",
    "WINDOWS-1252": "cp1252", "CP1252": "cp1252", "1252": "cp1252", "UTF8": "utf-8", "GB 18030-2000": "gb18030",
}  # fmt: skip
_SHOWN = {"H": "", "N": "", ".sk": " ", ".in": "", ".ti": "", ".ce": "\r", ".sp": "\r", ".br": "\r"}


def begins_as_message(start: str) -> bool:
    """Whether a text begins with the header of a message, a batch or a file of HL7 version 2."""
    return _START.match(start) is not None


def messages_of(text: str) -> Iterator[str]:
    """Yield the messages of a text, each with a carriage return after every segment. Headers of batches are left out.

    A line that begins as no segment continues the segment above it.
    """
    plain = text.replace("\x0b", "").replace("\x1c", "").replace("\ufeff", "")
    if len(plain.splitlines()) == 1:
        plain = _LITERAL_END.sub("\r", plain)
    message: list[str] = []
    for line in plain.replace("\r\n", "\r").replace("\n", "\r").split("\r"):
        name, separator = line[:3], line[3:4]
        if name == "MSH" and separator:
            if message:
                yield "\r".join(message) + "\r"
            message = [line]
        elif name in _BATCH:
            continue
        elif message and _SEGMENT.match(name) and separator == message[0][3]:
            message.append(line)
        elif message and line.strip():
            message[-1] += f"{_escape(message[0])}.br{_escape(message[0])}{line}"
    if message:
        yield "\r".join(message) + "\r"


def _escape(header: str) -> str:
    """The escape character that a message's header declares."""
    declared = header[4 : header.find(header[3], 4)]
    return declared[2] if len(declared) > 2 else "\\"


def decoded(data: bytes) -> str:
    """Return the text of a file of messages, in the character set that its first header declares.

    Raises:
        UnusableStudy: "report-unreadable", if the bytes or the name of the set are not valid.
    """
    header = re.split(rb"[\r\n]", data[data.find(b"MSH") :], maxsplit=1)[0]
    fields = header.split(header[3:4]) if len(header) > 3 else []
    declared = fields[17].split(b"~")[0].strip().decode("ascii", "replace").upper() if len(fields) > 17 else ""
    try:
        return data.decode(codecs.lookup(_SETS.get(declared, declared)).name).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        raise UnusableStudy("report-unreadable") from None


def plain_text(container: Any, field: str) -> str:
    """Return the text of a field, with its escapes replaced and each formatted line on a line.

    Args:
        container: the parsed message; it knows the separators.
        field: the field as it is in the message. A repetition is a line.

    Raises:
        UnusableStudy: "report-message", for an escape of another character set.
    """
    escape, repetition = container.esc, container.separators[2]
    mark = re.escape(escape)
    known = rf"{mark}(?:[HNFSTRE]|\.(?:br|sp|fi|nf|in|ti|sk|ce)(?:[+-]?\d{{1,2}})?|X(?:[0-9A-Fa-f]{{2}})+){mark}"
    if re.search(rf"{mark}[CM][0-9A-Fa-f]{{4,6}}{mark}", field):
        raise UnusableStudy("report-message")
    pieces = re.split(rf"({known})", field.replace(repetition, f"{escape}.br{escape}"))
    guarded = "".join(
        _hexadecimal(piece, escape) if place % 2 else piece.replace(escape, f"{escape}E{escape}")
        for place, piece in enumerate(pieces)
    )
    return str(container.unescape(guarded, _SHOWN)).replace("\r\n", "\n").replace("\r", "\n")


def _hexadecimal(piece: str, escape: str) -> str:
    """An escape, or the characters of a hexadecimal one, guarded if they are the escape character itself."""
    if not piece.startswith(f"{escape}X"):
        return piece
    code = bytes.fromhex(piece[2:-1])
    try:
        text = code.decode("utf-8")
    except UnicodeDecodeError:
        text = code.decode("latin-1")
    return text.replace(escape, f"{escape}E{escape}")
