"""Read a running job's progress from the stats that its controller publishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from fedaid.flare.store.missed_phases import ABSENT, MISSED, RETRIES, absent_of, missed_of, retries_of


@dataclass(frozen=True)
class Progress:
    """The state of a running job at one moment.

    Args:
        phase: ``align``, ``pretrain`` or ``validate``.
        current_round: the round, counted from 0.
        num_rounds: the number of rounds in the job.
        site_losses: each site's latest loss.
        site_weights: each site's weight in the average; they sum to 1.
        elapsed: seconds since the controller started.
        remaining: estimated seconds to the end; None until there is an estimate.
        notes: lines for the person who watches, such as a site's other versions.
        sites: that take part, by name.
        bytes_down: from the server to the sites, of the whole run; None if the controller does not count.
        bytes_up: from the sites to the server, likewise.
        absences: what :func:`admin.results.missed_rounds.missed_rounds` takes, so far.
    """

    phase: str
    current_round: int
    num_rounds: int
    site_losses: Mapping[str, float] = field(default_factory=dict)
    site_weights: Mapping[str, float] = field(default_factory=dict)
    elapsed: float = 0.0
    remaining: float | None = None
    notes: tuple[str, ...] = ()
    absences: Mapping[str, Any] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    bytes_down: int | None = None
    bytes_up: int | None = None


def read_progress(stats: object) -> Progress | None:
    """Return the progress in an answer of ``Session.show_stats``, or None without a group of our controller.

    The answer is ``{"server": {GROUP: {...}}}``. The groups are missing in a job's first and last seconds.
    Parts of FLARE such as ``ServerRunner`` add groups of their own.
    """
    server = stats.get("server") if isinstance(stats, dict) else None
    for group in server.values() if isinstance(server, dict) else ():
        if isinstance(group, dict) and {"phase", "current_round", "num_rounds", "site_losses"} <= group.keys():
            return from_group(group)
    return None


def from_group(group: dict[str, object]) -> Progress | None:
    """Return the progress in one group, or None if a value has the wrong type."""
    phase, current, planned = group["phase"], group["current_round"], group["num_rounds"]
    losses, weights = numbers(group["site_losses"]), numbers(group.get("site_weights"))
    if not isinstance(phase, str) or not isinstance(current, int) or not isinstance(planned, int):
        return None
    elapsed, remaining = number(group.get("elapsed")), number(group.get("remaining"))
    notes = group.get("notes")
    lines = tuple(note for note in notes if isinstance(note, str)) if isinstance(notes, list) else ()
    sites, (down, up) = sites_of(group), bytes_of(group)
    times = (elapsed or 0.0, remaining)
    return Progress(phase, current, planned, losses, weights, *times, lines, absences_of(group), sites, down, up)


def sites_of(group: Mapping[str, object]) -> tuple[str, ...]:
    """Return the sites that take part; those with a loss if the controller does not name them."""
    named = group.get("sites")
    if isinstance(named, list):
        return tuple(sorted(site for site in named if isinstance(site, str)))
    return tuple(sorted(numbers(group["site_losses"])))


def bytes_of(group: Mapping[str, object]) -> tuple[int | None, int | None]:
    """Return the bytes to and from the sites; None if the controller does not count."""
    counted = numbers(group.get("bytes"))
    down, up = counted.get("down"), counted.get("up")
    return None if down is None else int(down), None if up is None else int(up)


def absences_of(group: Mapping[str, object]) -> dict[str, Any]:
    """Return missed phases, retries and absent sites; nothing if an entry is not of its kind."""
    found = {name: group[name] for name in (MISSED, RETRIES, ABSENT) if name in group}
    try:
        missed_of(found), retries_of(found), absent_of(found)
    except ValueError:
        return {}
    return found


def absent_reasons(absences: Mapping[str, Any], *, present: Collection[str] = ()) -> dict[str, str]:
    """Return site → why it has no part in the newest job with an absent site.

    Args:
        absences: of the run so far.
        present: sites that take part now; an entry of an earlier job says nothing about them.
    """
    found = [one for one in absent_of(absences) if one.site not in present]
    newest = max((one.attempt for one in found), default=0)
    return {one.site: one.reason for one in found if one.attempt == newest}


def numbers(value: object) -> dict[str, float]:
    """Return the numeric entries of a dictionary."""
    entries = value.items() if isinstance(value, dict) else ()
    return {str(name): float(entry) for name, entry in entries if number(entry) is not None}


def number(value: object) -> float | None:
    """Return ``value`` as a float if it is a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
