"""Opens a table of text, plain or gzip, whatever its encoding and its separator. What is no such table is named."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.data.tables.separator import Separator, separator_of
from fedaid.data.tables.text_encoding import TextEncoding, encoding_of, given_encoding
from fedaid.errors import InputError

csv.field_size_limit(1 << 27)  # a very long cell makes its row unusable, not the table

SAVE_AS = "In a spreadsheet choose 'Save as' and the type 'CSV UTF-8'; commas and semicolons are both read."
_HEAD = 1 << 18
_DOCUMENTS = (
    (b"PK\3\4", "a workbook (.xlsx, .ods) or another ZIP file"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (.xls)"),
    (b"%PDF-", "a PDF file"),
    (b"{\\rtf", "an RTF document"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
    (b"<table", "a web page"),
)


@dataclass(frozen=True)
class Sheet:
    """An opened table.

    Attributes:
        name: of its file.
        encoding: see :class:`TextEncoding`; with a fault, letters may be wrong.
        separator: see :class:`Separator`.
    """

    name: str
    encoding: TextEncoding
    separator: Separator
    data: bytes = field(repr=False)

    @property
    def read_as(self) -> str:
        """How it is read, such as "Windows-1252, separated by semicolons"."""
        return f"{self.encoding.title}, separated by {self.separator.title}"

    def text(self) -> io.TextIOWrapper:
        """Return its text from the beginning, with line ends as they are."""
        return io.TextIOWrapper(io.BytesIO(self.data), encoding=self.encoding.codec, errors="replace", newline="")

    def rows(self, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, the header first, each with the line that it starts on, from 1.

        Raises:
            BrokenRow: if a quote is not closed, or not at the edge of its cell; only with ``strict``.
        """
        file, start = self.text(), 1
        if self.separator.stated:
            file.readline()
            start = 2
        before = start
        reader = csv.reader(file, delimiter=self.separator.character, strict=strict)
        try:
            for cells in reader:
                if any(cell.strip(" \t\r\n\ufeff") for cell in cells):
                    yield start, cells
                start = reader.line_num + before
        except csv.Error:
            raise BrokenRow(start) from None


class BrokenRow(ValueError):
    """A row cannot be divided into cells.

    Args:
        line: the line that it starts on.
    """

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


def open_sheet(path: Path, *, encoding: str = "") -> Sheet:
    """Return the table in a file.

    Args:
        path: the file; one that ends in .gz is unpacked.
        encoding: of its text; empty to find it.

    Raises:
        InputError: if it cannot be read, or is a workbook or another document.
    """
    data = _bytes(path)
    kind = document_kind(data)
    if kind:
        rule = "be a table of text"
        raise InputError(path.name, rule, got=kind, where=path.name, remedy=SAVE_AS)
    found = given_encoding(data, encoding) if encoding else encoding_of(data)
    whole = io.TextIOWrapper(io.BytesIO(data), encoding=found.codec, errors="replace", newline="")
    head = whole.read(_HEAD).removeprefix("\ufeff")
    return Sheet(path.name, found, separator_of(head), data)


def document_kind(data: bytes) -> str:
    """Return what a file is that is no text, for a person; empty for text."""
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    return next((kind for magic, kind in _DOCUMENTS if start[: len(magic)].lower() == magic.lower()), "")


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix.lower() == ".gz" else data
    except FileNotFoundError:
        where = "the data folder"
        raise InputError(path.name, "exist", got="no such file", where=where, remedy="Check the path.") from None
    except (OSError, EOFError, zlib.error) as error:
        got, remedy = type(error).__name__, "Check its permissions, or copy it again."
        raise InputError(path.name, "be readable", got=got, where="the data folder", remedy=remedy) from None
