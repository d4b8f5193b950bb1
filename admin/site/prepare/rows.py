"""Reads the rows of an exported table: text with a separator, or JSONL; plain or gzip."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from pathlib import Path

from fedaid.data.table import unusual
from fedaid.data.tables.sheet import SAVE_AS, BrokenRow, Sheet, open_sheet
from fedaid.data.tables.table_fault import TableFault, refusal
from fedaid.errors import InputError

_TITLES = 12
"""Rows in which a header below a title is looked for."""

KINDS = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson")
OF_JSON = (".jsonl", ".ndjson")
Cells = Mapping[str, str]
HeaderCheck = Callable[[Sequence[str], str], Sequence[TableFault]]
"""Names of columns, and how the table is read → why it cannot be used."""

_REMEDY = "Export it again as CSV, TSV or JSONL in UTF-8, with a header that names its columns; see docs/data.md."
_PROTECTED = re.compile(r'^(?:="([^"]*)"$|\'(?=\d+$))')
"""How a spreadsheet is made to keep a number as text: ="0012" or '0012."""


def is_table(path: Path) -> bool:
    """Whether a path is a file with the ending of a table."""
    return path.name.lower().removesuffix(".gz").endswith(KINDS) and path.is_file()


def column(name: str) -> str:
    """Return a column's normalised name: "Study-UID" and "study uid" become "study_uid"."""
    return "_".join(name.lower().replace("-", " ").split())


def anything(columns: Sequence[str], read_as: str) -> Sequence[TableFault]:
    """Accept every header."""
    del columns, read_as
    return ()


def read_rows(
    table: Path, *, needs: Collection[str] = (), check: HeaderCheck = anything, encoding: str = ""
) -> Iterator[tuple[str, Cells]]:
    """Yield each row: its name for messages, and its cells by normalised column name.

    How the table is read is printed on standard error, if that is not UTF-8 with commas.

    Args:
        table: a table, optionally with .gz; JSONL by its ending.
        needs: required columns, normalised.
        check: further requirements of the header.
        encoding: of the file; empty to find it.

    Raises:
        InputError: if the file cannot be read, is no table, or lacks a column; with all reasons at once.
    """
    sheet = open_sheet(table, encoding=encoding)
    if said := unusual(sheet):
        print(f"{table.name}: read as {said}", file=sys.stderr, flush=True)
    kind = _of_json if table.name.lower().removesuffix(".gz").endswith(OF_JSON) else _of_text
    for number, cells in kind(sheet, needs, check):
        yield f"{table.name}, row {number}", cells


def _of_text(sheet: Sheet, needs: Collection[str], check: HeaderCheck) -> Iterator[tuple[int, Cells]]:
    """Yield the rows below the header. A missing cell is empty."""
    header = next((cells for _, cells in sheet.rows(strict=False)), [])
    columns = [column(cell.strip("\ufeff")) for cell in header]
    unknown = check(header, sheet.read_as)
    if unknown and (place := _header_below(sheet, check)):
        unknown = [
            TableFault("row 1", "begin with its header", f"a header in row {place}", "Remove the rows above it.")
        ]
    faults = [*_encoding(sheet), *_header(columns, needs), *unknown, *_shape(sheet, len(columns))]
    if faults:
        raise refusal(sheet.name, faults)
    for number, (_, row) in enumerate(sheet.rows(), start=1):
        if number > 1:
            filled = zip_longest(columns, row[: len(columns)], fillvalue="")
            yield number, {key: _PROTECTED.sub(r"\1", cell.strip(), count=1) for key, cell in filled}


def _header_below(sheet: Sheet, check: HeaderCheck) -> int:
    """Return the row of the header if it is one of the next rows, below a title; otherwise 0."""
    rows = enumerate(islice(sheet.rows(strict=False), _TITLES), start=1)
    return next((number for number, (_, cells) in rows if number > 1 and not check(cells, sheet.read_as)), 0)


def _encoding(sheet: Sheet) -> list[TableFault]:
    if not sheet.encoding.fault:
        return []
    remedy = f"Name its encoding, such as --encoding cp1252. {SAVE_AS}"
    return [TableFault(f"line {sheet.encoding.line}", "be UTF-8", sheet.encoding.fault, remedy)]


def _header(columns: Sequence[str], needs: Collection[str]) -> list[TableFault]:
    """Return which required columns are missing, and which are there twice."""
    missing = [need for need in needs if need not in columns]
    twice = sorted({one for one in columns if one and columns.count(one) > 1})
    rule = f"have the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
    faults = [TableFault("header", rule, "other columns", _REMEDY)] if missing else []
    if twice:
        rule, remedy = "name each column once, whatever its case and spacing", "Rename or remove one of them."
        faults.append(TableFault("header", rule, ", ".join(twice), remedy))
    return faults


def _shape(sheet: Sheet, width: int) -> list[TableFault]:
    """Return whether rows have more cells than the header, or a quote that is not closed."""
    separator = sheet.separator.title
    long: list[int] = []
    number = 0
    try:
        for number, (_, row) in enumerate(sheet.rows(), start=1):
            long += [number] if len(row) > width and any(map(str.strip, row[width:])) else []
    except BrokenRow:
        rule, got = "close each quote at the end of its cell", "a quote inside a cell or without an end"
        remedy = "Double the quotes inside of a cell, or export it again."
        return [TableFault(f"row {number + 1}", rule, got, remedy)]
    if not long:
        return []
    rule, got = f"have at most {width} cells in a row, as its header has", f"{len(long)} longer rows"
    return [TableFault(f"row {long[0]}", rule, got, f"Quote cells with {separator}.")]


def _of_json(sheet: Sheet, needs: Collection[str], check: HeaderCheck) -> Iterator[tuple[int, Cells]]:
    """Yield one row for each line. A null value counts as missing."""
    first = True
    for number, line in enumerate(sheet.text(), start=1):
        if not line.strip("\ufeff \t\r\n"):
            continue
        try:
            row = json.loads(line.strip("\ufeff"))
        except (ValueError, RecursionError):
            row = None
        where = f"{sheet.name}, line {number}"
        if not isinstance(row, dict):
            raise InputError(sheet.name, "hold one object a line", got="another text", where=where, remedy=_REMEDY)
        cells = {column(key): _text(column(key), value) for key, value in row.items() if value is not None}
        faults = [*_encoding(sheet), *_header([*cells], needs), *(check([*row], "JSON lines") if first else ())]
        if faults:
            raise refusal(sheet.name, faults)
        first = False
        yield number, cells


def _text(key: str, value: object) -> str:
    """Return a value as text; a list of labels in the manifest's format."""
    return "|".join(map(str, value)) if key == "labels" and isinstance(value, list) else str(value).strip()
