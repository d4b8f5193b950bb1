"""Words which site missed which rounds of a run, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from admin.results.run_results import STORE
from fedaid.flare.store.missed_phases import (
    ERROR,
    KILLED,
    OUT_OF_MEMORY,
    REFUSED,
    SILENT,
    AbsentSite,
    MissedPhase,
    absent_of,
    missed_of,
    retries_of,
)

WORDS = {
    SILENT: "no answer in time",
    REFUSED: "its answer was refused",
    ERROR: "it could not work",
    OUT_OF_MEMORY: "out of memory",
    KILLED: "its training process was killed",
}
HEADINGS = ("site", "rounds", "task", "reason")
NOTHING = "No site missed a round."


class MissedRow(NamedTuple):
    """Rounds that one site missed in one task for one reason, as the terminal and the report card show them."""

    site: str
    rounds: str
    task: str
    reason: str


def missed_rounds(results: Mapping[str, Any]) -> str:
    """Return what a run's results say about missed rounds, retries, absent sites and the rest, for a terminal.

    Args:
        results: ``results.json``, or an object with ``missed``, ``retries``, ``absent``, ``skipped_generations`` and
            ``warnings``.

    Returns:
        A table with one row for each site, task and reason, and a line for each of the rest; one line if there is
        nothing to say.

    Raises:
        ValueError: if an entry does not have the fields or the reason of its kind.
    """
    rows = missed_rows(missed_of(results))
    again = [f"round {one.round + 1}, {one.phase}, at {' and '.join(one.sites)}" for one in retries_of(results)]
    skipped = [f"{name} ({reason})" for name, reason in results.get("skipped_generations", {}).items()]
    absent = absent_lines(absent_of(results))
    lines = [*table(rows)] if rows else [] if absent else [NOTHING]
    lines += absent
    lines += [f"Tried again: {'; '.join(again)}."] if again else []
    lines += [f"Skipped as damaged: {one}." for one in skipped]
    return "\n".join([*lines, *(f"Warning: {one}." for one in results.get("warnings", []))])


def missed_in(run_folder: Path) -> str:
    """Return what the results in a run folder say, as :func:`missed_rounds`; empty if it has no readable results."""
    try:
        return missed_rounds(json.loads((run_folder / STORE / "results.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return ""


def missed_so_far(absences: Mapping[str, Any]) -> str:
    """Return what a controller said last of missed rounds and retries, as :func:`missed_rounds`; empty if nothing."""
    return missed_rounds(absences) if absences else ""


def absent_lines(absent: Iterable[AbsentSite]) -> list[str]:
    """Return one line for each site and reason, with the jobs of the run in which the site had no part."""
    jobs: dict[tuple[str, str], list[int]] = {}
    for one in sorted(absent):
        jobs.setdefault((one.site, one.reason), []).append(one.attempt)
    return [
        f"Without site {site} in job{'' if len(numbers) == 1 else 's'} {spans(numbers)} of the run: {reason}."
        for (site, reason), numbers in sorted(jobs.items())
    ]


def missed_rows(missed: Iterable[MissedPhase]) -> list[MissedRow]:
    """Return one row for each site, task and reason, in this order."""
    rounds: dict[tuple[str, str, str], list[int]] = {}
    texts: dict[tuple[str, str, str], str] = {}
    for one in sorted(missed):
        key = (one.site, one.phase, one.reason)
        rounds.setdefault(key, []).append(one.round + 1)
        texts[key] = one.text or texts.get(key, "")
    return [
        MissedRow(site, spans(rounds[key]), task, WORDS[reason] + (f": {texts[key]}" if texts[key] else ""))
        for key in sorted(rounds)
        for site, task, reason in [key]
    ]


def spans(numbers: Iterable[int]) -> str:
    """Return whole numbers as text, consecutive ones as a span: ``2-4, 7``."""
    found: list[list[int]] = []
    for number in sorted({*numbers}):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in found)


def table(rows: Iterable[MissedRow]) -> list[str]:
    """Return the rows below their headings, in columns as wide as their cells."""
    cells = [HEADINGS, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in cells
    ]
