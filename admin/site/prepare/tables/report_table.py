"""Reads a hospital's table of reports: cells by what they are, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from admin.site.prepare.rows import Cells, column, is_table, read_rows
from admin.site.prepare.tables.column_roles import Roles, column_faults, roles_of
from fedaid.data.tables.sheet import SAVE_AS
from fedaid.data.tables.table_fault import TableFault
from fedaid.errors import InputError, require

WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".mdb", ".accdb")


@dataclass(frozen=True)
class TableOptions:
    """How to read a table: its encoding, empty to find it, and role → column, for columns named by hand."""

    encoding: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


AS_FOUND = TableOptions()


@dataclass
class TableFacts:
    """What is said about a table after it was read.

    Attributes:
        read_as: its encoding and separator.
        columns: role → name of the column that was taken.
        rows_doubled: rows that are equal to an earlier one.
    """

    read_as: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    rows_doubled: int = 0


@dataclass(frozen=True)
class RoleCells:
    """The cells of one row by role."""

    cells: Cells = field(repr=False)
    roles: Roles

    def all(self, role: str) -> list[str]:
        """Return the cells of a role that are not empty."""
        return [cell for name in self.roles.get(role, ()) if (cell := self.cells.get(column(name), ""))]

    def first(self, role: str) -> str:
        """Return the first cell of a role that is not empty, or an empty text."""
        return next(iter(self.all(role)), "")


def report_rows(table: Path, asked: TableOptions, facts: TableFacts) -> Iterator[tuple[str, RoleCells]]:
    """Yield each row of a table of reports: its name for messages, and its cells by role.

    Args:
        table: a file of text.
        asked: how to read it.
        facts: filled with how it was read.

    Raises:
        InputError: if it cannot be read, or has no column with a key or none with a report; with all reasons at once.
    """
    require(table.is_file(), "--reports", "exist", got="nothing there", where="command line", remedy="Check the path.")

    def check(header: Sequence[str], read_as: str) -> list[TableFault]:
        facts.read_as = read_as
        facts.columns = {role: names[0] for role, names in roles_of(header, asked.columns).items() if names}
        return column_faults(header, asked.columns, read_as=read_as)

    roles = cache(lambda columns: roles_of(columns, asked.columns))
    for name, cells in read_rows(table, check=check, encoding=asked.encoding):
        yield name, RoleCells(cells, roles(tuple(cells)))


def require_texts(folder: Path) -> None:
    """Raise InputError if a folder of reports holds tables only, such as an export of one file."""
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    tables = [path for path in files if _is_table_by_name(path)]
    if tables and len(tables) == len(files):
        got = f"a folder with the table {tables[0].name}" if len(tables) == 1 else f"a folder of {len(tables)} tables"
        workbook = tables[0].name.lower().endswith(WORKBOOKS)
        remedy = SAVE_AS if workbook else "Give the table itself; of several tables make one."
        raise InputError(
            "--reports", "be a folder of text files, or a table", got=got, where="command line", remedy=remedy
        )


def _is_table_by_name(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith(WORKBOOKS) or (is_table(path) and not name.removesuffix(".gz").endswith(".txt"))
