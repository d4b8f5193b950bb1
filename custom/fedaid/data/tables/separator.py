"""Finds what separates the cells of a table: the character that gives its header columns and its rows as many cells."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

SEPARATORS: Mapping[str, str] = MappingProxyType({",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"})
"""Separator → its name for a person."""
ROWS = 200
"""Rows that are compared."""

_STATED = re.compile(r'"?sep=(.)"?[;,\t|]*', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")


class Separator(NamedTuple):
    """The character between cells, and whether the first line only states it ("sep=;")."""

    character: str
    stated: bool

    @property
    def title(self) -> str:
        """Its name for a person."""
        return SEPARATORS.get(self.character, f"the character {self.character!a}")


def separator_of(head: str) -> Separator:
    """Return the separator of a table.

    Args:
        head: the beginning of its text.
    """
    first, *rest = _LINE_END.split(head, maxsplit=1)
    line = _STATED.fullmatch(first.strip(" \ufeff"))
    body = "".join(rest) if line else head
    likely = dict.fromkeys([*(line.group(1) if line else ""), *SEPARATORS])
    scores = {one: _score(body, one) for one in likely}
    if line and scores[line.group(1)][0]:
        return Separator(line.group(1), stated=True)
    return Separator(max(scores, key=scores.__getitem__), stated=bool(line))


def _score(text: str, separator: str) -> tuple[bool, float, int]:
    """Return whether the header has columns, the share of rows with as many cells, and the number of columns."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [row for row in islice(reader, ROWS) if any(map(str.strip, row))]
    except csv.Error:
        rows = []
    columns = len(rows[0]) if rows else 0
    alike = sum(len(row) == columns for row in rows[1:])
    return columns > 1, alike / max(1, len(rows) - 1), columns
