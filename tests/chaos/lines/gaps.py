"""The phases that a hospital missed, by the ledger and by the results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from fedaid.flare.store.missed_phases import missed_of
from tests.chaos.followed_job import ledger_of
from tests.chaos.lines.lined_federation import FAR


class Gap(NamedTuple):
    """A phase that ended without a site that was asked.

    Attributes:
        seconds: from the last answer of the others to the end.
    """

    phase: str
    round: int
    seconds: float


def gaps_of(store: Path, site: str = FAR) -> list[Gap]:
    """The gaps of a run."""
    gaps, asked, last = [], [], ""
    for line in ledger_of(store):
        if line["kind"] == "open":
            asked, last = line["sites"], line["time"]
        elif line["kind"] == "accept":
            last = line["time"]
        elif line["kind"] == "close" and site in asked and site not in line["inputs"]:
            waited = datetime.fromisoformat(line["time"]) - datetime.fromisoformat(last)
            gaps.append(Gap(line["phase"], line["round"], waited.total_seconds()))
    return gaps


def wrongly_named(results: Mapping[str, Any], gaps: list[Gap]) -> list[str]:
    """What ``results.json`` says of missed phases that the ledger does not, and the reverse."""
    told = {(missed.phase, missed.round + 1) for missed in missed_of(results) if missed.site == FAR}
    others = {missed.site for missed in missed_of(results)} - {FAR}
    odd = told ^ {(gap.phase, gap.round) for gap in gaps}
    failures = [f"{', '.join(sorted(others))} missed a phase"] if others else []
    return [*failures, *(f"{phase} of round {number} is not in both" for phase, number in sorted(odd))]
