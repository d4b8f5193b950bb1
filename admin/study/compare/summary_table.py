"""A comparison's summary as a Markdown table, the method with the best worst site first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from admin.study.compare.summary import BASE

Summaries = Mapping[str, Mapping[str, Any]]  # method → summary
COLUMNS = ("worst site", "mean", "held out", f"worst − {BASE}", f"mean − {BASE}", "ECE", "rounds")


def table(name: str, methods: Summaries) -> str:
    """Return recall at 5, or AUROC, in points with 95 % intervals, and the paired differences to the base."""
    if not methods:
        return f"{name}: no method has a result"
    lines = [row(name, COLUMNS), rule(COLUMNS)]
    for method, found in by_worst(methods):
        apart = found.get(f"difference_to_{BASE}", {})
        cells = [
            f"{of(found, 'worst'):.1f} ({span(found['interval']['worst'])})",
            f"{of(found, 'mean'):.1f} ({span(found['interval']['mean'])})",
            ", ".join(f"{one['mid']:.1f}" for one in found["held_out"].values()) or "–",
            *(signed(apart.get(over)) for over in ("worst", "mean")),
            calibration(found),
            str(found["rounds"]),
        ]
        lines.append(row(f"`{method}`", cells))
    least, usual = chance_of(methods)
    return "\n".join([*lines, row("a blind guess", [f"{least:.1f}", f"{usual:.1f}", *["–"] * (len(COLUMNS) - 2)])])


def calibration(found: Mapping[str, Any]) -> str:
    """Return the calibration error of a summary in points, mean over the sites where it is known."""
    errors = found.get("calibration_error", {})
    own = [errors[site] for site in found["sites"] if site in errors]
    return f"{mean(own):.1f}" if own else "–"


def of(found: Mapping[str, Any], over: str) -> float:
    """Return a summary's metric over the sites, ``mean`` or ``worst``: recall at 5, or AUROC for class scores."""
    return float(found[f"{over}_auroc"] if f"{over}_auroc" in found else found[f"{over}_recall_at_5"])


def by_worst(methods: Summaries) -> list[tuple[str, Mapping[str, Any]]]:
    """Return methods and summaries, sorted by worst site, best first."""
    return sorted(methods.items(), key=lambda item: -of(item[1], "worst"))


def chance_of(methods: Summaries) -> tuple[float, float]:
    """Return the recall of a random guess: the lowest over the sites, and the mean."""
    chance = list(next(iter(methods.values()))["chance"].values())
    return min(chance), mean(chance)


def row(first: str, cells: Sequence[str]) -> str:
    """Return a line of a table."""
    return f"| {first} | {' | '.join(cells)} |"


def rule(columns: Sequence[str]) -> str:
    """Return the line below a table's head."""
    return "|---" * (len(columns) + 1) + "|"


def span(bounds: Sequence[float]) -> str:
    """Return the bounds of an interval."""
    return f"{bounds[0]:.1f} to {bounds[1]:.1f}"


def signed(found: Mapping[str, float] | None) -> str:
    """Return a difference with its bounds."""
    return f"{found['mid']:+.1f} ({found['low']:+.1f} to {found['high']:+.1f})" if found else "–"
