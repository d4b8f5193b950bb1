"""The rows of a manifest file, a UTF-8 CSV with a header. Each row knows the line that it starts on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.errors import InputError


@dataclass(frozen=True)
class Row:
    """One row: the number of its first line in the file, from 1, and its cells by column."""

    line: int
    cells: Mapping[str, str] = field(repr=False)

    def cell(self, column: str) -> str:
        """Return the stripped text of a cell, empty if there is no such column."""
        return self.cells.get(column, "").strip()


@dataclass(frozen=True)
class Table:
    """The header and the rows of a file; blank rows are left out."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(path: Path) -> Table:
    """Return the table in a CSV file, with or without a byte order mark.

    Args:
        path: the file, with commas between cells; a cell in double quotes may span lines.

    Raises:
        InputError: if the file is not UTF-8, not CSV, has no row, names a column twice or has rows of unequal length.
            The message names the file and the line, and quotes no cell.
    """
    reader = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    numbered: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            numbered.append((start, cells))
            start = reader.line_num + 1
    except csv.Error:
        raise _refusal(
            path, start, "be comma-separated with closed quotes", "a row that is not", "Export it as CSV again."
        ) from None
    numbered = [(line, cells) for line, cells in numbered if any(cell.strip() for cell in cells)]
    if not numbered:
        raise _refusal(path, 1, "hold a header and one row a study", "an empty file", "Add the studies.")
    columns = _columns(path, *numbered[0])
    rows = tuple(_row(path, line, cells, columns=columns) for line, cells in numbered[1:])
    if not rows:
        raise _refusal(path, numbered[0][0], "hold one row a study", "a header only", "Add the studies.")
    return Table(name=path.name, columns=columns, rows=rows)


def _decoded(path: Path) -> str:
    """The text of the file."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            path.name, "exist", got="no such file", where="the data folder", remedy="Check the path."
        ) from None
    except OSError as error:
        raise InputError(
            path.name, "be readable", got=type(error).__name__, where="the data root", remedy="Check its permissions."
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(path, line, "be UTF-8", "another encoding", "Save it as 'CSV UTF-8'.") from None


def _columns(path: Path, line: int, cells: list[str]) -> tuple[str, ...]:
    """The names in the header."""
    columns = tuple(cell.strip() for cell in cells)
    if len(set(columns)) < len(columns):
        raise _refusal(path, line, "name each column once", "a name twice", "Rename or drop one.")
    return columns


def _row(path: Path, line: int, cells: list[str], *, columns: tuple[str, ...]) -> Row:
    """One row, which must have as many cells as the header."""
    if len(cells) != len(columns):
        remedy = "Quote cells that hold a comma, and write empty cells out."
        raise _refusal(path, line, f"have {len(columns)} cells in every row", len(cells), remedy)
    return Row(line=line, cells=dict(zip(columns, cells, strict=True)))


def _refusal(path: Path, line: int, rule: str, got: object, remedy: str) -> InputError:
    """The error for one line of the file."""
    return InputError(path.name, rule, got=got, where=f"{path.name}, line {line}", remedy=remedy)


SEPARATOR = "|"
UNCERTAIN = "?"
"""The first character of an uncertain label."""
CHEXPERT_14 = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Lung Opacity", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
"""The findings of CheXpert, in its order (Irvin et al. 2019, table 1)."""


def divided_labels(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the certain labels of a cell, and the uncertain ones without their mark."""
    given = [label for one in cell.split(SEPARATOR) if (label := one.strip()).strip(f" {UNCERTAIN}")]
    certain = tuple(label for label in given if not label.startswith(UNCERTAIN))
    return certain, tuple(label.lstrip(f" {UNCERTAIN}") for label in given if label.startswith(UNCERTAIN))
