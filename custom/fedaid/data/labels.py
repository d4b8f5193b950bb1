"""The labels of a study as a cell of a manifest has them."""

from __future__ import annotations

SEPARATOR = "|"
UNCERTAIN = "?"
"""What a label begins with that may be true or not."""


def divided_labels(cell: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels of a cell that are certain, and those that are not, without their mark."""
    given = [label for one in cell.split(SEPARATOR) if (label := one.strip()).strip(f" {UNCERTAIN}")]
    certain = tuple(label for label in given if not label.startswith(UNCERTAIN))
    return certain, tuple(label.lstrip(f" {UNCERTAIN}") for label in given if label.startswith(UNCERTAIN))
