"""Counts as they may be shown to others: small ones suppressed, all others rounded.

Every count is rounded to a multiple of the least cell, and in a table with a single small cell the next smallest is
hidden with it, under the same mark: the two may be exchanged and the table is the same, so that no total tells them.
"""

from __future__ import annotations

from collections.abc import Mapping

HIDDEN = "hidden"
"""One of two cells, of which at least one is small."""


def disclosed(count: int, *, least: int) -> str:
    """Return a count as it may be shown: "0", "<5", or a multiple of 5, for a least cell of 5.

    Args:
        count: of studies or files.
        least: the least cell that is shown; 1 shows every count as it is.
    """
    if count == 0:
        return "0"
    if count < least:
        return f"<{least}"
    return str(max(least, (2 * count + least) // (2 * least) * least))


def disclosed_cells(cells: Mapping[str, int], *, least: int) -> dict[str, str]:
    """Return the cells of a table, of which the total may be known, as they may be shown."""
    shown = {name: disclosed(count, least=least) for name, count in cells.items()}
    by_size = sorted((count, name) for name, count in cells.items() if count)
    if sum(count < least for count, _ in by_size) == 1:
        shown |= {name: HIDDEN for _, name in by_size[:2]}
    return shown
