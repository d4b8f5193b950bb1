"""One intruder: what it tries, and what the intruder and the other side must say about it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from admin.federation.federation import Federation

LOG_SECONDS = 10.0  # for a line to reach the log


@dataclass(frozen=True)
class Ground:
    """A running federation, and a folder for what intruders make.

    Attributes:
        federation: of trial kits on this machine.
        folder: empty at the start.
    """

    federation: Federation
    folder: Path

    @property
    def kits(self) -> Path:
        """The folder of all kits."""
        return self.federation.record.kits

    @property
    def logs(self) -> list[Path]:
        """The logs of the server, of all sites and of their jobs."""
        machines = (self.federation.record.server, *self.federation.sites)
        return [log for name in machines for place in ("", "*/") for log in (self.kits / name).glob(f"{place}log.txt")]


@dataclass(frozen=True)
class Refusal:
    """What came of an intrusion.

    Attributes:
        refused: whether the intruder got nothing.
        heard: what the intruder was told, in one line.
    """

    refused: bool
    heard: str


@dataclass(frozen=True, kw_only=True)
class Intruder:
    """Somebody who tries what must be refused.

    Attributes:
        name: of the intruder, in words.
        attempt: tries it.
        hears: a pattern of what the intruder must be told.
        logged: a pattern of the line that the server or a site must log; empty if neither was reached.
    """

    name: str
    attempt: Callable[[Ground], Refusal]
    hears: str
    logged: str = ""


def failures_of(intruder: Intruder, ground: Ground) -> tuple[bool, list[str]]:
    """Return whether an intruder was refused, and what was not as it must be, in words."""
    before = {log: log.stat().st_size for log in ground.logs}
    refusal = intruder.attempt(ground)
    wrong = [] if refusal.refused else [f"{intruder.name}: not refused, {refusal.heard}"]
    if not re.search(intruder.hears, refusal.heard):
        wrong.append(f"{intruder.name}: heard {refusal.heard!r}, not {intruder.hears!r}")
    if intruder.logged and not appears(intruder.logged, ground, before):
        wrong.append(f"{intruder.name}: no machine logged {intruder.logged!r}")
    return refusal.refused, wrong


def appears(pattern: str, ground: Ground, before: dict[Path, int]) -> bool:
    """Whether a line that fits appears in one of the logs, after the byte where each stood."""
    deadline = time.monotonic() + LOG_SECONDS
    while time.monotonic() < deadline:
        for log in ground.logs:
            if re.search(pattern, log.read_bytes()[before.get(log, 0) :].decode(errors="replace")):
                return True
        time.sleep(0.2)
    return False


def all_failures(intruders: Iterable[Intruder], ground: Ground) -> tuple[int, list[str]]:
    """Return how many intruders were refused, and what was not as it must be."""
    found = [failures_of(intruder, ground) for intruder in intruders]
    return sum(refused for refused, _ in found), [text for _, wrong in found for text in wrong]
