"""Counts as they may be shown to others: small ones suppressed, all others rounded.

Every count is rounded to a multiple of the least cell, so that no suppressed one can be computed from a total and the
cells beside it: complementary suppression would leave a chain of cells to follow, rounding leaves none.
"""

from __future__ import annotations

from collections.abc import Mapping


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
    """Return the cells of a table as they may be shown."""
    return {name: disclosed(count, least=least) for name, count in cells.items()}
