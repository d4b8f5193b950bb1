"""A manifest's rows as far as they can be made out, where training would refuse the file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from fedaid.data.table import Row, Table, read_table
from fedaid.errors import InputError


def tolerant_table(path: Path) -> tuple[Table, str | None]:
    """Return the table in a file, and why it is no sound one, or None.

    Of a file that is at fault, what is no UTF-8 is replaced, missing cells are empty, and surplus ones left out.

    Args:
        path: an existing file.
    """
    try:
        return read_table(path), None
    except InputError as refused:
        return _made_out(path), str(refused)


def _made_out(path: Path) -> Table:
    """The table of a file at fault; without columns if nothing can be made of it."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
        numbered = list(_numbered(reader))
    except (OSError, csv.Error):
        numbered = []
    if not numbered:
        return Table(path.name, (), ())
    columns = tuple(cell.strip() for cell in numbered[0][1])
    rows = tuple(
        Row(line, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))) for line, cells in numbered
    )
    return Table(path.name, columns, rows[1:])


def _numbered(reader: object) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line that it starts on."""
    found: list[tuple[int, list[str]]] = []
    start = 1
    for cells in reader:  # type: ignore[attr-defined]
        if any(cell.strip() for cell in cells):
            found.append((start, cells))
        start = reader.line_num + 1  # type: ignore[attr-defined]
    return found
