"""Reads the rows of an exported table: CSV, TSV or JSONL in UTF-8, plain or gzip."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import TextIO

from fedaid.errors import InputError, require

csv.field_size_limit(1 << 27)  # a very long cell makes its row unusable, not the table

KINDS = (".csv", ".tsv", ".jsonl")
Cells = Mapping[str, str]

_REMEDY = "Export it again as CSV, TSV or JSONL in UTF-8, with a header that names its columns; see docs/data.md."


def is_table(path: Path) -> bool:
    """Whether a path is a file with the ending of a table."""
    return path.name.lower().removesuffix(".gz").endswith(KINDS) and path.is_file()


def column(name: str) -> str:
    """Return a column's normalised name: "Study-UID" and "study uid" become "study_uid"."""
    return "_".join(name.lower().replace("-", " ").split())


def read_rows(table: Path, *, needs: Collection[str] = ()) -> Iterator[tuple[str, Cells]]:
    """Yield each row: its name for messages, and its cells by normalised column name.

    Args:
        table: a .csv, .tsv or .jsonl file, optionally with .gz. A header with tabs and without commas means TSV.
        needs: required columns.

    Raises:
        InputError: if the file is not valid for its ending, or lacks a column.
    """
    kind = _of_json if table.name.lower().removesuffix(".gz").endswith(".jsonl") else _of_csv
    try:
        with _opened(table) as file:
            for number, cells in kind(file, table.name, needs):
                yield f"{table.name}, row {number}", cells
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        got = type(error).__name__
        raise InputError(
            table.name, "be a readable table in UTF-8", got=got, where=table.name, remedy=_REMEDY
        ) from None


def _opened(table: Path) -> TextIO:
    if table.suffix.lower() == ".gz":
        return gzip.open(table, "rt", encoding="utf-8-sig", newline="")
    return table.open(encoding="utf-8-sig", newline="")


def _of_csv(file: TextIO, name: str, needs: Collection[str]) -> Iterator[tuple[int, Cells]]:
    """Yield the rows below the header. A missing cell is empty."""
    first = file.readline()
    rows = csv.reader(chain([first], file), delimiter="\t" if "\t" in first and "," not in first else ",")
    columns = [column(cell) for cell in next(rows, [])]
    _require_columns(needs, columns, name)
    twice = sorted({one for one in columns if one and columns.count(one) > 1})
    rule, where = "name each column once, whatever its case and spacing", f"{name}, header"
    require(not twice, name, rule, got=", ".join(twice), where=where, remedy="Rename or remove one of them.")
    for number, row in enumerate(filter(None, rows), start=2):
        where, rule = f"{name}, row {number}", f"have at most {len(columns)} cells, as its header has"
        require(len(row) <= len(columns), "a row", rule, got=len(row), where=where, remedy="Quote cells with commas.")
        yield number, {key: cell.strip() for key, cell in zip_longest(columns, row, fillvalue="")}


def _of_json(file: TextIO, name: str, needs: Collection[str]) -> Iterator[tuple[int, Cells]]:
    """Yield one row for each line. A null value counts as missing."""
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        where = f"{name}, line {number}"
        if not isinstance(row, dict):
            raise InputError(name, "hold one object a line", got="another text", where=where, remedy=_REMEDY)
        cells = {column(key): _text(column(key), value) for key, value in row.items() if value is not None}
        _require_columns(needs, cells, name)
        yield number, cells


def _text(key: str, value: object) -> str:
    """Return a value as text; a list of labels in the manifest's format."""
    return "|".join(map(str, value)) if key == "labels" and isinstance(value, list) else str(value).strip()


def _require_columns(needs: Collection[str], columns: Collection[str], name: str) -> None:
    missing = [need for need in needs if need not in columns]
    rule = f"have the column{'s' * (len(missing) > 1)} {', '.join(missing)}"
    require(not missing, name, rule, got="other columns", where=f"{name}, header", remedy=_REMEDY)
