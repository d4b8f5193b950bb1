"""A table of measured series on a page, between two marks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NO_NUMBERS = ("place", "seconds", "date", "failures")


@dataclass(frozen=True)
class PageTable:
    """Where a table is, and which numbers have a column of their own.

    Attributes:
        page: the page.
        mark: the name in the marks before and after the table.
        columns: number → heading of its column.
        others: heading of the column of all other numbers.
    """

    page: Path
    mark: str
    columns: Mapping[str, str]
    others: str

    def table(self, measured: Mapping[str, Mapping[str, Any]]) -> str:
        """One row for each series that was run, in the order of the catalogue."""
        heads = ("series", "where", *self.columns.values(), self.others)
        rows = (self.row(name, found) for name, found in measured.items())
        return f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|\n{''.join(rows)}"

    def row(self, name: str, found: Mapping[str, Any]) -> str:
        """The numbers of one series; those that it does not measure are left out."""
        numbers = {key: value for key, value in found.items() if isinstance(value, int | float)}
        others = ", ".join(
            f"{key} {value:g}" for key, value in numbers.items() if key not in (*NO_NUMBERS, *self.columns)
        )
        cells = (name, found["place"], *(found.get(key, "") for key in self.columns), others)
        return f"| {' | '.join(str(cell) for cell in cells)} |\n"

    def written_into(self, page: str, measured: Mapping[str, Mapping[str, Any]]) -> str:
        """The page with the present table between its marks."""
        begin, end = f"<!-- {self.mark}: begin -->", f"<!-- {self.mark}: end -->"
        before, _, rest = page.partition(begin)
        _, mark, after = rest.partition(end)
        if not mark:
            raise ValueError(f"the page must have {begin} and {end}")
        return f"{before}{begin}\n{self.table(measured)}{end}{after}"

    def write(self, measured: Mapping[str, Mapping[str, Any]]) -> None:
        """Writes the table to the page."""
        page = self.written_into(self.page.read_text(encoding="utf-8"), measured)
        self.page.write_text(page, encoding="utf-8")
        print(f"{self.page}: {len(measured)} series", file=sys.stderr)
