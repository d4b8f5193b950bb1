"""Attendance: for which sites a phase waits, and why a site gave no answer that counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from fedaid.flare.store.missed_phases import ERROR, REFUSED, SILENT, MissedPhase

LONGEST_TEXT = 500  # characters


class Absence(NamedTuple):
    """Why a site is missing: one of :data:`fedaid.flare.store.missed_phases.REASONS`, and what else is known."""

    reason: str
    text: str = ""

    def said_of(self, site: str) -> str:
        """The absence of a site as a sentence without full stop."""
        if self.reason == SILENT:
            return f"site {site} gave no answer in time" + (f": {self.text}" if self.text else "")
        if self.reason == REFUSED:
            return f"the answer of site {site} was refused: {self.text}"
        code = "" if self.reason == ERROR else f" ({self.reason})"
        return f"site {site} could not work{code}: {self.text}"


class Attendance:
    """Waits once for a site that falls silent; later phases ask it, but do not wait for it until it answers in time.

    A silent site that asks for a task again is alive: the next phases wait for it once more. Without that, a site that
    needs a little longer than the others would be left out for the rest of the run.

    Attributes:
        absences: site → why it is missing; without the sites whose last answer was accepted.
    """

    def __init__(self) -> None:
        self._silent, self._returned = set[str](), set[str]()
        self._awaited, self._due = set[str](), set[str]()
        self._heard: dict[str, str] = {}
        self.absences: dict[str, Absence] = {}

    def begin(self, sites: Iterable[str]) -> None:
        """The sites are asked."""
        self._due = {*sites}
        self._awaited = self._due - self._silent
        self.absences |= {site: Absence(SILENT, self._heard.get(site, "")) for site in self._due}

    def replied(self, site: str) -> bool:
        """A reply has come in time; returns whether all replies that the phase waits for are here."""
        for former in (self._due, self._silent, self._returned):
            former.discard(site)
        self.absences.pop(site, None)
        self._heard.pop(site, None)
        return not self._awaited & self._due

    def fails(self, site: str, reason: str, text: str) -> None:
        """The reply of the site cannot be used."""
        self.absences[site] = Absence(reason, text[:LONGEST_TEXT])

    def hears(self, site: str, text: str) -> None:
        """The site sent something else than an answer; if it stays silent, this may be why."""
        self._heard[site] = text[:LONGEST_TEXT]
        if self.absences.get(site, Absence(ERROR)).reason == SILENT:
            self.fails(site, SILENT, text)

    def over(self) -> list[str]:
        """The phase waits no longer; returns the sites that have fallen silent in it."""
        fallen = sorted(self._due & self._awaited)
        self._silent |= self._due
        self._awaited, self._due = set(), set()
        return fallen

    def asks(self, site: str) -> None:
        """The site asks for a task, so it is alive; the next phases wait for it, but only once before it answers."""
        if site in self._silent and site not in self._returned:
            self._silent.discard(site)
            self._returned.add(site)

    def gone(self, site: str) -> bool:
        """The connection to the site is lost; no phase waits for it until it asks for a task.

        Returns whether the open phase has no reply of it.
        """
        self._silent.add(site)
        self._returned.discard(site)
        self._awaited.discard(site)
        return site in self._due

    def settle(self, sites: Iterable[str], accepted: Collection[str], refused: Mapping[str, str]) -> None:
        """The phase has ended with these accepted answers.

        Args:
            sites: those that were asked.
            accepted: sites with an accepted answer.
            refused: site → why an answer was not accepted; it names the site, the reason follows "refused: ".
        """
        for site in sites:
            if site in accepted:
                self.absences.pop(site, None)
            elif site not in self.absences:
                reason = refused.get(site, "")
                self.fails(site, REFUSED, reason.partition("refused: ")[2] or reason)

    def missed(self, sites: Iterable[str], *, round_number: int, phase: str) -> list[MissedPhase]:
        """An entry for each of the sites that is missing."""
        missing = [(site, self.absences[site]) for site in sorted(sites) if site in self.absences]
        return [MissedPhase(round_number, phase, site, *absence) for site, absence in missing]

    def said_of(self, sites: Iterable[str]) -> str:
        """Why the sites are missing, in one line."""
        known = {site: self.absences.get(site) for site in sorted(sites)}
        return " | ".join(why.said_of(site) if why else f"site {site} was not asked" for site, why in known.items())

    @property
    def errors(self) -> dict[str, str]:
        """Site → why it could not work, as a sentence."""
        failed = {site: why for site, why in self.absences.items() if why.reason not in (SILENT, REFUSED)}
        return {site: why.said_of(site) for site, why in failed.items()}
