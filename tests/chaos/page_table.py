"""The table of docs/reliability.md, written from build/bench/chaos.json."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"
PAGE = Path("docs/reliability.md")
OTHERS = ("place", "injected", "survived", "seconds", "date", "failures")
HEAD = "| series | where | faults | survived | other numbers |\n|---|---|---|---|---|\n"


def table(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """One row for each series that was run, in the order of the catalogue."""
    return HEAD + "".join(row(name, found) for name, found in measured.items())


def row(name: str, found: Mapping[str, Any]) -> str:
    """The numbers of one series; those that it does not measure are left out."""
    others = ", ".join(f"{key} {value:g}" for key, value in found.items() if key not in OTHERS)
    cells = (name, found["place"], found.get("injected", ""), found.get("survived", ""), others)
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def with_table(page: str, measured: Mapping[str, Mapping[str, Any]]) -> str:
    """The page with the present table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the page must have {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table(measured)}{END}{after}"


def write_page(measured: Mapping[str, Mapping[str, Any]], page: Path = PAGE) -> None:
    """Writes the table to the page."""
    page.write_text(with_table(page.read_text(encoding="utf-8"), measured), encoding="utf-8")
    print(f"{page}: {len(measured)} series", file=sys.stderr)
