"""Replays the lines of a ledger: gates open and close, answers come in between, rounds are committed in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fedaid.flare.store.hash_chain import Line
from fedaid.flare.store.run_ledger import (
    ACCEPT,
    BEST,
    CLOSE,
    COMMIT,
    OPEN,
    REFUSE,
    START,
    STOP,
    WITHDRAW,
)

Gate = tuple[int, str]  # round and phase


class LedgerRounds:
    """The rounds that the lines of a ledger make.

    Attributes:
        commits: round → its commit; if a damaged round was done again, the last one.
        faults: what was found so far; :meth:`read` raises, its caller adds.
    """

    def __init__(self) -> None:
        self.commits: dict[int, Line] = {}
        self.faults: list[str] = []
        self._least = 1  # answers that a phase needs
        self._attempt = 0
        self._gate: Gate | None = None
        self._asked: set[str] = set()
        self._accepted: set[str] = set()
        self._inputs: dict[Gate, list[str]] = {}  # of the gates that have closed
        self._rules: Mapping[str, Callable[[Line], None]] = {
            START: self._start,
            OPEN: self._open,
            ACCEPT: self._accept,
            REFUSE: lambda line: None,
            WITHDRAW: self._withdraw,
            CLOSE: self._close,
            COMMIT: self._commit,
            BEST: self._best,
            STOP: lambda line: None,
        }

    def read(self, line: Line) -> None:
        """Take the next line.

        Raises:
            ValueError: if it cannot follow the lines before it.
            KeyError: if it has not the fields of its kind.
        """
        self._rules[line["kind"]](line)

    def _start(self, line: Line) -> None:
        last, after = max(self.commits, default=0), line["after"]
        demand(line["attempt"] >= self._attempt, "an attempt cannot follow a later one")
        self._gate, self._least, self._attempt = None, line["min_clients"], line["attempt"]
        self.commits = {number: commit for number, commit in self.commits.items() if number <= after}
        demand(after <= last, f"the job continues after round {after}, but round {last} is the last one committed")
        explained = after == last or bool(line["skipped"])
        demand(explained, f"the job continues after round {after}, and round {last} was not skipped as damaged")

    def _open(self, line: Line) -> None:
        if line.get("retry") and gate_of(line) == self._gate:  # the gate has not closed
            demand({*line["sites"]} <= self._asked - self._accepted, "a second try asks a site that has answered")
            return
        self._gate, self._asked, self._accepted = gate_of(line), {*line["sites"]}, set()
        self._inputs.pop(self._gate, None)

    def _accept(self, line: Line) -> None:
        demand(gate_of(line) == self._gate, f"site {line['site']} was accepted, but the gate is closed")
        demand(line["site"] in self._asked, f"site {line['site']} was accepted, but not asked")
        demand(line["site"] not in self._accepted, f"site {line['site']} was accepted twice")
        self._accepted.add(line["site"])

    def _withdraw(self, line: Line) -> None:
        demand(gate_of(line) == self._gate and line["site"] in self._accepted, "only an accepted answer is withdrawn")
        self._accepted.remove(line["site"])

    def _close(self, line: Line) -> None:
        demand(gate_of(line) == self._gate, "a gate closes that is not open")
        self._inputs[gate_of(line)], self._gate = line["inputs"], None
        same = line["inputs"] == sorted(self._accepted)
        demand(same, "the gate closes with other sites than it has accepted")

    def _commit(self, line: Line) -> None:
        number, last = line["round"], max(self.commits, default=0)
        self.commits[number] = line
        demand(number == last + 1, f"round {number} is committed after round {last}")
        demand(self._gate is None, f"round {number} is committed while a gate is open")
        closed = [inputs for (of_round, _), inputs in self._inputs.items() if of_round == number]
        demand(bool(closed), f"round {number} is committed, but no gate of it has closed")
        unknown = sorted({*line["inputs"]} - set[str].intersection(*map(set[str], closed)))
        demand(not unknown, f"round {number} has an input of {', '.join(unknown)}, which was not accepted")
        demand(len(line["inputs"]) >= self._least, f"round {number} has fewer inputs than min_clients")

    def _best(self, line: Line) -> None:
        former: Mapping[str, Any] = self.commits[line["round"]]
        demand(line["sha256"] == former["sha256"], "a round was committed again with another model")


def gate_of(line: Line) -> Gate:
    """Return which gate a line belongs to."""
    return line["round"], line["phase"]


def demand(condition: bool, fault: str) -> None:
    """Raise ``ValueError`` with the fault unless the condition holds."""
    if not condition:
        raise ValueError(fault)
