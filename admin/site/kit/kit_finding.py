"""What a check of a startup kit is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from admin.federation.kits.startup_kit import PERSON, SERVER, SITE, StartupKit
from admin.site.kit.server_contact import Contact, reach

ANYBODY = (SERVER, SITE, PERSON)
MACHINES = (SERVER, SITE)


class Unchecked(Exception):
    """A check without input; the text is the reason."""


@dataclass(frozen=True)
class Place:
    """Where a problem is: a file or a setting, and its value."""

    where: str
    got: str


@dataclass(frozen=True)
class ExaminedKit:
    """A kit on its machine.

    Attributes:
        kit: the kit.
        job: a packaged job, whose needs the machine must meet; None for the least needs of any job.
        environ: the environment that the kit would be started in.
        now: in UTC.
    """

    kit: StartupKit
    job: Path | None
    environ: Mapping[str, str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def contact(self) -> Contact:
        """What came of one connection to the server."""
        return reach(self.kit)

    def place(self, file: Path, got: object) -> Place:
        """Return a place in the kit, named below its folder."""
        inside = file.is_relative_to(self.kit.folder)
        return Place(str(file.relative_to(self.kit.folder)) if inside else str(file), str(got))


Look = Callable[[ExaminedKit], Iterable[Place]]


@dataclass(frozen=True)
class KitCheck:
    """One check.

    Attributes:
        name: unique name in kebab case.
        title: the problem.
        remedy: what to do.
        severity: ``error``, ``warning`` or ``note``, as in the doctor of a site's data.
        look: returns the places with the problem. It raises :class:`Unchecked` without input, and
            OSError or InputError if a file cannot be read, which another check reports.
        kinds: the kits that are looked at.
    """

    name: str
    title: str
    remedy: str
    severity: str
    look: Look
    kinds: tuple[str, ...] = ANYBODY
