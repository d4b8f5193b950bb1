"""The result of the doctor of a kit, as text for a terminal and as plain JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from admin.site.doctor.doctor_check import SEVERITIES
from admin.site.kit.kit_examination import KitResult

WIDTH = 110
INDENT = "    "


def kit_text(folder: Path, results: Sequence[KitResult]) -> str:
    """Return the results for a terminal."""
    return "\n".join(lines(folder, results))


def lines(folder: Path, results: Sequence[KitResult]) -> Iterator[str]:
    """Yield the lines of the text."""
    counts = ", ".join(f"{number} {severity}s" for severity, number in severities(results).items())
    yield f"{folder.resolve().name}: {len(results)} checks: {counts}"
    for one in results:
        if one.places:
            yield f"\n{one.check.severity.upper()} {one.check.name}: {one.check.title}"
            yield from (f"    {place.where}: {place.got}" for place in one.places)
            yield from textwrap.wrap(
                f"To do: {one.check.remedy}", WIDTH, initial_indent=INDENT, subsequent_indent=INDENT
            )
    passed = [one.check.name for one in results if not one.places and not one.unchecked]
    if passed:
        yield "\nNo problem found by:"
        yield from textwrap.wrap(", ".join(passed), WIDTH)
    unchecked = [one for one in results if one.unchecked]
    if unchecked:
        yield "\nNot checked:"
        yield from (f"    {one.check.name}: {one.unchecked}" for one in unchecked)


def severities(results: Sequence[KitResult]) -> dict[str, int]:
    """Return severity → number of checks that found a problem."""
    counts = Counter(one.check.severity for one in results if one.places)
    return {severity: counts[severity] for severity in SEVERITIES}


def kit_dict(folder: Path, results: Sequence[KitResult]) -> dict[str, object]:
    """Return the results as plain JSON."""
    return {"kit": folder.resolve().name, "fired": severities(results), "checks": [described(one) for one in results]}


def described(one: KitResult) -> dict[str, object]:
    """Return one result as plain JSON, with the names of the doctor of a site's data."""
    return {
        "name": one.check.name,
        "severity": one.check.severity,
        "title": one.check.title,
        "fired": bool(one.places),
        "looked": not one.unchecked,
        "places": [asdict(place) for place in one.places],
        "remedy": one.check.remedy,
        "unchecked": one.unchecked,
    }
