"""The ledger of a run: one line for each gate, accepted and refused answer, and commit; no patient data.

``ledger.jsonl`` lies beside the generations of the run. A job that continues the run continues its chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fedaid.flare.store.hash_chain import HashChain
from fedaid.flare.store.refusal_codes import refusal_code
from fedaid.flare.wire.tasks import VALIDATE
from fedaid.minmax.norm_clipping import CLIPPED
from fedaid.models.saved_model import WEIGHTS
from fedaid.sealed_folder import manifest_of

LEDGER = "ledger.jsonl"
# kinds of lines
START, OPEN, ACCEPT, REFUSE, WITHDRAW = "start", "open", "accept", "refuse", "withdraw"
CLOSE, COMMIT, BEST, STOP = "close", "commit", "best", "stop"


class RunLedger:
    """Writes a line for each event of a run.

    Rounds are counted from 1, as ``round`` of a committed state: the number of rounds that a model was trained for.

    Args:
        chain: takes the lines; without one nothing is written.
        attempt: number of this job in the run.
    """

    def __init__(self, chain: HashChain | None = None, *, attempt: int = 1) -> None:
        self._chain, self._attempt = chain, attempt
        rounds = [line.get("round") for line in chain.found if line.get("kind") == COMMIT] if chain else []
        self._committed = max(
            (number for number in rounds if isinstance(number, int)), default=0
        )  # not in a damaged line
        self._gate: dict[str, Any] = {}
        self._opened: set[tuple[str, int]] = set()
        self._accepted: set[str] = set()

    @property
    def head(self) -> dict[str, Any] | None:
        """The number of lines and the hash of the last one; None without a chain."""
        return self._chain.head._asdict() if self._chain else None

    def started(self, generation: Path | None, state: Mapping[str, Any], **facts: Any) -> None:
        """The job begins.

        Args:
            generation: folder of the generation that it continues; None for a new run.
            state: of the generation.
            facts: what else the line holds.
        """
        done = int(state.get("round", 0))
        if generation is not None and done == self._committed + 1:  # the former job ended between commit and line
            self.committed(generation, state, recovered=True)
        self._committed = done
        self._add(START, durable=True, after=done, **facts)

    def opened(self, phase: str, round_number: int, sites: Iterable[str]) -> None:
        """A phase of a round begins; ``round_number`` from 0. Two models may be validated after the last round."""
        asked, again = (phase, round_number), phase != VALIDATE and (phase, round_number) in self._opened
        self._gate, self._accepted = {"phase": phase, "round": round_number + 1}, set()
        self._add(OPEN, **self._gate, sites=sorted(sites), **({"retry": True} if again else {}))
        self._opened.add(asked)

    def retried(self, sites: Iterable[str]) -> None:
        """The open phase is tried again at these sites; what was accepted before stays."""
        self._add(OPEN, **self._gate, sites=sorted(sites), retry=True)

    def accepted(self, site: str) -> None:
        """An answer of the site was accepted."""
        self._accepted.add(site)
        self._add(ACCEPT, **self._gate, site=site)

    def refused(self, site: str, reason: str, **gate: Any) -> None:
        """An answer of the site was refused; of ``reason`` the line has the code only."""
        self._add(REFUSE, **(gate or self._gate), site=site, reason=refusal_code(reason))

    def closed(self, accepted: Collection[str], refused: Mapping[str, str]) -> None:
        """The phase ends with these sites; an answer that was accepted before and is not among them is withdrawn."""
        for site in sorted(self._accepted - {*accepted}):
            self._add(WITHDRAW, **self._gate, site=site, reason=refusal_code(refused.get(site, "")))
        self._add(CLOSE, durable=True, **self._gate, inputs=sorted(accepted))

    def committed(self, generation: Path, state: Mapping[str, Any], **facts: Any) -> None:
        """A generation is in the run store: a round's, or that of the same round with another best model."""
        if self._chain is None:
            return
        about = {"round": int(state["round"]), "sha256": manifest_of(generation)[WEIGHTS]["sha256"]}
        if about["round"] == self._committed:
            self._add(BEST, durable=True, **about)
            return
        self._committed = about["round"]
        entry = state["history"][-1]
        kept = {phase: why["largest_mover"] for phase, why in entry.get("kept", {}).items()}
        more = {"kept": kept, CLIPPED: entry.get(CLIPPED, {})}
        about |= {"inputs": sorted(entry["train"]), "site_weights": state["site_weights"], **facts}
        self._add(COMMIT, durable=True, **about, **{name: found for name, found in more.items() if found})

    def stopped(self, error: Exception) -> None:
        """The job stops before the end; the line has the kind of error only, since its text may be long."""
        self._add(STOP, reason=type(error).__name__)

    def _add(self, kind: str, *, durable: bool = False, **content: Any) -> None:
        if self._chain:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._chain.add({"kind": kind, "attempt": self._attempt, "time": now, **content}, durable=durable)
