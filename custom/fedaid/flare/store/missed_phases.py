"""Which site missed which phase of a run, or all of a job, and why, as plain JSON of ``results.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SILENT = "silent"  # no answer in time
REFUSED = "refused"  # the server could not read the answer, or did not accept it
ERROR = "error"  # the site answered that it could not work
OUT_OF_MEMORY, KILLED = "out_of_memory", "killed"  # the site answered that its training process ended so
REASONS = (SILENT, REFUSED, ERROR, OUT_OF_MEMORY, KILLED)
"""All codes of reasons."""
MISSED, RETRIES, ABSENT = "missed", "retries", "absent"  # keys of a run's state and results


@dataclass(frozen=True, order=True)
class MissedPhase:
    """One site in one phase of a round without an accepted answer.

    Attributes:
        round: counted from 0; the number of rounds of the run for the validation at its end.
        phase: the task's name.
        site: name.
        reason: one of :data:`REASONS`.
        text: the reason in one line, at most some hundred characters; empty if the code says all.

    Raises:
        ValueError: for another code, or a field of another type.
    """

    round: int
    phase: str
    site: str
    reason: str
    text: str = ""

    def __post_init__(self) -> None:
        texts = all(type(value) is str for value in (self.phase, self.site, self.text))
        if type(self.round) is not int or self.round < 0 or not texts:
            raise ValueError("a missed phase must have a round of at least 0, a phase, a site and a text")
        if self.reason not in REASONS:
            raise ValueError(f"a missed phase must have one of the reasons {', '.join(REASONS)}, got {self.reason!r}")


@dataclass(frozen=True, order=True)
class Retry:
    """A phase that was tried again, because too few answers were accepted.

    Attributes:
        round: counted from 0.
        phase: the task's name.
        sites: names of those that were asked again.

    Raises:
        ValueError: for a field of another type.
    """

    round: int
    phase: str
    sites: list[str]

    def __post_init__(self) -> None:
        texts = isinstance(self.sites, list) and all(type(text) is str for text in (self.phase, *self.sites))
        if type(self.round) is not int or self.round < 0 or not texts:
            raise ValueError("a retry must have a round of at least 0, a phase and names of sites")


@dataclass(frozen=True, order=True)
class AbsentSite:
    """One site without a part in a job of the run.

    Attributes:
        attempt: number of the job in its run, from 1.
        site: name.
        reason: in one line.

    Raises:
        ValueError: for a field of another type.
    """

    attempt: int
    site: str
    reason: str

    def __post_init__(self) -> None:
        texts = all(type(value) is str for value in (self.site, self.reason))
        if type(self.attempt) is not int or self.attempt < 1 or not texts:
            raise ValueError("an absent site must have an attempt of at least 1, a site and a reason")


def as_json(entries: Iterable[MissedPhase | Retry | AbsentSite]) -> list[dict[str, Any]]:
    """The entries as they are in ``results.json``."""
    return [asdict(entry) for entry in entries]


def missed_of(results: Mapping[str, Any]) -> list[MissedPhase]:
    """The missed phases in a run's results; none in those of an older version.

    Raises:
        ValueError: if an entry does not have exactly the fields of :class:`MissedPhase`.
    """
    return [MissedPhase(**entry) for entry in entries_of(results, MISSED, MissedPhase)]


def retries_of(results: Mapping[str, Any]) -> list[Retry]:
    """The retries in a run's results; none in those of an older version.

    Raises:
        ValueError: if an entry does not have exactly the fields of :class:`Retry`.
    """
    return [Retry(**entry) for entry in entries_of(results, RETRIES, Retry)]


def absent_of(results: Mapping[str, Any]) -> list[AbsentSite]:
    """The sites without a part in a job of the run; none in results of an older version.

    Raises:
        ValueError: if an entry does not have exactly the fields of :class:`AbsentSite`.
    """
    return [AbsentSite(**entry) for entry in entries_of(results, ABSENT, AbsentSite)]


def entries_of(results: Mapping[str, Any], key: str, kind: type[Any]) -> list[dict[str, Any]]:
    """The list of objects under a key.

    Raises:
        ValueError: if it is something else, or an object has other fields than the dataclass ``kind``.
    """
    found, names = results.get(key, []), {field.name for field in fields(kind)}
    if not isinstance(found, list) or not all(isinstance(entry, dict) and entry.keys() == names for entry in found):
        raise ValueError(f"{key} must be a list of objects with the fields {', '.join(sorted(names))}")
    return found
