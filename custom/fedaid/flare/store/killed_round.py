"""What sites missed in a round whose job was killed: nothing but the ledger has it."""

from __future__ import annotations

from collections.abc import Iterable

from fedaid.flare.store.hash_chain import Line
from fedaid.flare.store.missed_phases import ERROR, KILLED, OUT_OF_MEMORY, REFUSED, SILENT, MissedPhase, Retry
from fedaid.flare.store.run_ledger import CLOSE, OPEN, REFUSE, START, WITHDRAW

REASONS = {"killed": KILLED, "out-of-memory": OUT_OF_MEMORY, "site-error": ERROR}  # code of a refusal → reason


class KilledRound:
    """The absences in the rounds that were not committed; a phase that did not end has none.

    Several jobs can have been killed in the same round. The last one that ended a phase tells what a site missed in it.

    Args:
        lines: of a whole chain.
        committed: number of rounds that the next job continues from.

    Attributes:
        missed: sites without an accepted answer, one entry for each site in each phase that ended.
        retries: phases that were tried again, one entry for each phase.
    """

    def __init__(self, lines: Iterable[Line], committed: int) -> None:
        self._missed: dict[tuple[int, str, str], MissedPhase] = {}  # by round, phase and site
        self._retries: dict[tuple[int, str], Retry] = {}  # by round and phase
        self._gate: tuple[int, str] | None = None
        self._asked: list[str] = []
        self._codes: dict[str, str] = {}
        for line in lines:
            if line["kind"] == START:
                self._gate = None
            elif line["kind"] in (OPEN, REFUSE, WITHDRAW, CLOSE) and line.get("round", 0) > committed:
                self._read(line, (line["round"] - 1, line["phase"]))
        self.missed, self.retries = [*self._missed.values()], [*self._retries.values()]

    def _read(self, line: Line, gate: tuple[int, str]) -> None:
        if line["kind"] == OPEN and line.get("retry") and gate == self._gate:
            self._retries[gate] = Retry(*gate, line["sites"])
        elif line["kind"] == OPEN:
            self._gate, self._asked, self._codes = gate, line["sites"], {}
        elif line["kind"] in (REFUSE, WITHDRAW):
            self._codes[line["site"]] = line["reason"]
        elif gate == self._gate:
            self._gate = None
            away = [site for site in self._asked if site not in line["inputs"]]
            self._missed |= {(*gate, site): self._absence(site, gate) for site in away}

    def _absence(self, site: str, gate: tuple[int, str]) -> MissedPhase:
        code = self._codes.get(site)
        reason = REASONS.get(code, REFUSED) if code else SILENT
        return MissedPhase(*gate, site, reason, code if code and reason == REFUSED else "")
