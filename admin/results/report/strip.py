"""Values with their intervals on one line, for a cell of a table: as wide as the cell, whatever the page's width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from admin.results.report.svg import element

PAD, PITCH = 6, 13
"""Pixels above the first value and below the last, and from one to the next."""


def strip(marks: Sequence[Mapping[str, Any] | None], *, low: float, high: float, line: float | None = None) -> Markup:
    """Up to two values above each other, each with its interval.

    Args:
        marks: ``value``, ``low``, ``high`` of each; the first is hollow if there are two, None draws nothing.
        low: value at the left end of the cell.
        high: value at its right end.
        line: where to draw an upright line, such as chance or zero.
    """

    def at(value: float) -> str:
        return f"{2 + 96 * (min(max(value, low), high) - low) / (high - low):.2f}%"

    height = 2 * PAD + PITCH * len(marks)
    parts = [element("line", x1="2%", x2="98%", y1=height - 1, y2=height - 1, class_="grid")]
    if line is not None:
        parts.append(element("line", x1=at(line), x2=at(line), y1=1, y2=height - 1, class_="limit"))
    for number, mark in enumerate(marks):
        if mark is None:
            continue
        y = PAD + PITCH * (number + 0.5)
        kind = "hollow" if len(marks) > 1 and number == 0 else "full"
        parts.append(element("line", x1=at(mark["low"]), x2=at(mark["high"]), y1=y, y2=y, class_=f"whisker {kind}"))
        parts.append(element("circle", cx=at(mark["value"]), cy=y, r=4, class_=kind))
    return element("svg", *parts, width="100%", height=height, class_="strip", aria_hidden="true")
