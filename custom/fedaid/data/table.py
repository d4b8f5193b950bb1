"""The rows of a manifest file, a table of text with a header. Each row knows the line that it starts on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.data.tables.sheet import SAVE_AS, BrokenRow, Sheet, open_sheet
from fedaid.data.tables.table_fault import TableFault, refusal


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
    """The header and the rows of a file; blank rows are left out.

    `read_as` names the encoding and the separator, if they are not UTF-8 and commas.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    read_as: str = ""


def read_table(path: Path) -> Table:
    """Return the table in a text file.

    Args:
        path: the file, in UTF-8, UTF-16 or an encoding that its letters show, with commas, semicolons, tabs or bars
            between cells. A cell in double quotes may span lines.

    Raises:
        InputError: if the file is no such table, has no row, names a column twice or has rows of unequal length. The
            message names the file, the line and all of these reasons, and quotes no cell.
    """
    sheet = open_sheet(path)
    faults: list[TableFault] = []
    if sheet.encoding.fault:
        faults.append(TableFault(f"line {sheet.encoding.line}", "be UTF-8", sheet.encoding.fault, SAVE_AS))
    numbered = _numbered(sheet, faults)
    if not numbered:
        faults.append(TableFault("line 1", "hold a header and one row a study", "an empty file", "Add the studies."))
        raise refusal(path.name, faults)
    columns, rows = columns_of(numbered), numbered[1:]
    if len(set(columns)) < len(columns):
        faults.append(
            TableFault(f"line {numbered[0][0]}", "name each column once", "a name twice", "Rename or drop one.")
        )
    uneven = [(line, len(cells)) for line, cells in rows if len(cells) != len(columns)]
    if uneven:
        remedy = f"Quote cells that hold {sheet.separator.title}, and write empty cells out."
        faults.append(
            TableFault(f"line {uneven[0][0]}", f"have {len(columns)} cells in every row", uneven[0][1], remedy)
        )
    if not rows and not faults:
        faults.append(TableFault(f"line {numbered[0][0]}", "hold one row a study", "a header only", "Add the studies."))
    if faults:
        raise refusal(path.name, faults)
    found = tuple(Row(line=line, cells=dict(zip(columns, cells, strict=True))) for line, cells in rows)
    return Table(name=path.name, columns=columns, rows=found, read_as=unusual(sheet))


def unusual(sheet: Sheet) -> str:
    """Return how a table is read if that is not UTF-8 with commas; otherwise an empty text."""
    usual = sheet.encoding.title == "UTF-8" and sheet.separator == (",", False)
    return "" if usual else sheet.read_as


def columns_of(numbered: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    """Return the names in the header, the first row. Empty columns at the end, as spreadsheets leave them, are cut off.

    Args:
        numbered: the rows with their lines; cut in place.
    """
    contents = [_content(cells) for _, cells in numbered]
    most = len(numbered[0][1])
    width = max(size for size in contents if size <= most) if contents[0] else most
    for (_, cells), size in zip(numbered, contents, strict=True):
        del cells[max(width, size) :]
    return tuple(cell.strip(" \t\r\n\ufeff") for cell in numbered[0][1])


def _content(cells: list[str]) -> int:
    """Return the number of cells up to the last one that is not empty."""
    return max((number for number, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _numbered(sheet: Sheet, faults: list[TableFault]) -> list[tuple[int, list[str]]]:
    """Return the rows, each with its line. A row whose quote is not closed adds a fault and ends the table."""
    found: list[tuple[int, list[str]]] = []
    try:
        found.extend(sheet.rows())
    except BrokenRow as broken:
        rule, got = f"be separated by {sheet.separator.title} with closed quotes", "a row that is not"
        faults.append(TableFault(f"line {broken.line}", rule, got, "Export it as CSV again."))
    return found


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
