"""Bands for numbers of patients that leave a site."""

from __future__ import annotations

from itertools import pairwise

EDGES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000)


def count_band(count: int, *, least: int) -> str:
    """The band of a number, such as "<5" or "20-49"; small exact numbers could identify a person.

    Args:
        count: of patients.
        least: smaller numbers are in one band with 0.
    """
    if count < least:
        return f"<{least}"
    edges = [least, *(edge for edge in EDGES if edge > least)]
    for low, above in pairwise(edges):
        if count < above:
            return f"{low}-{above - 1}"
    return f"{edges[-1]}+"
