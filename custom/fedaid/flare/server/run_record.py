"""The record of a run as plain JSON: its history, for the results, and its progress, for a person who watches it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from fedaid.flare.store.missed_phases import (
    ABSENT,
    MISSED,
    RETRIES,
    AbsentSite,
    MissedPhase,
    Retry,
    absent_of,
    as_json,
    missed_of,
    retries_of,
)
from fedaid.flare.wire.tasks import STATE_LOST, UpdateMessage
from fedaid.flare.wire.traffic import Traffic
from fedaid.minmax.norm_clipping import CLIPPED
from fedaid.minmax.site_weights import Move
from fedaid.minmax.update_bounds import FORMER_ROUNDS

# Metrics of training. In a round of one task they come in one answer with those of validation.
TRAINING = ("contrastive", "binding", "duplicates", "binding_weight", "proximal", "moon")


class RunRecord:
    """One entry for each round, the counts that the sites reported, and the bytes that were exchanged with them.

    Args:
        traffic: counts the bytes.

    Attributes:
        pairs: site → training pairs in its first accepted report.
        skipped_generations: damaged generation → the reason why a job did not continue from it.
        software_changes: one line for each version that changed between two jobs of the run.
        warnings: one line for whatever else a person must know of the run.
        state_lost: round and site where a site had lost what it keeps between jobs.
        missed: which site missed which phase, and why.
        retries: phases that were tried again.
        absent: sites without a part in a job of the run, and why.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.history: list[dict[str, Any]] = []
        self.pairs: dict[str, int] = {}
        self.skipped: dict[str, dict[str, int]] = {}
        self.skipped_generations: dict[str, str] = {}
        self.software_changes: list[str] = []
        self.warnings: list[str] = []
        self.state_lost: list[dict[str, Any]] = []
        self.missed: list[MissedPhase] = []
        self.retries: list[Retry] = []
        self.absent: list[AbsentSite] = []

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from what :meth:`state` returned in an earlier job."""
        self.history, self.pairs, self.skipped = [*state["history"]], dict(state["pairs"]), dict(state["skipped"])
        self.skipped_generations, self.state_lost = dict(state["skipped_generations"]), [*state["state_lost"]]
        self.software_changes, self.warnings = [*state["software_changes"]], [*state.get("warnings", [])]
        self.restore_absences(state)
        self._traffic.restore(state["bytes"])

    def restore_absences(self, absences: Mapping[str, Any]) -> None:
        """Continues from the :attr:`absences` of a job that stopped; no absences change nothing."""
        if absences:
            self.missed, self.retries = missed_of(absences), retries_of(absences)
            self.absent = sorted({*absent_of(absences), *self.absent})

    def add_absences(self, missed: Iterable[MissedPhase], retries: Iterable[Retry]) -> None:
        """Adds what is known of a job that was killed; what a stop has noted already stays as it is."""
        known = {(entry.round, entry.phase, entry.site) for entry in self.missed}
        self.missed += [entry for entry in missed if (entry.round, entry.phase, entry.site) not in known]
        self.retries += [entry for entry in retries if entry not in self.retries]

    @property
    def trained(self) -> dict[str, int]:
        """Site → the last round in which its update of phase two was accepted."""
        return {site: entry["round"] for entry in self.history for site in entry.get("train", ())}

    def aligned(
        self,
        round_number: int,
        updates: Mapping[str, UpdateMessage],
        weights: Mapping[str, float],
        *,
        move: Move,
        refused: Mapping[str, str],
    ) -> None:
        """Adds the entry of a round after phase one: losses of its model, site weights and their move, refusals."""
        for site, update in updates.items():
            self.pairs.setdefault(site, update.pairs)
            self.skipped[site] = dict(update.skipped)
            self._note_lost(site, update)
        valid = {site: without(update.metrics, TRAINING) for site, update in updates.items()}
        entry = {"round": round_number, "site_weights": dict(weights), "weight_move": asdict(move)}
        self.history.append(entry | {"valid": valid, "refused": dict(refused)})

    def changed_pairs(self, pairs: Mapping[str, int]) -> list[str]:
        """One line for each site whose number of training pairs is not that of its first report."""
        return [
            f"{site} reports {now} training pairs, {self.pairs[site]} before: its data must be the same in all jobs"
            for site, now in pairs.items()
            if self.pairs.get(site, now) != now
        ]

    def pretrained(self, updates: Mapping[str, UpdateMessage], refused: Mapping[str, str]) -> None:
        """Completes the entry of a round after phase two: training losses and refusals."""
        for site, update in updates.items():
            self._note_lost(site, update)
        valid = self.history[-1]["valid"]
        train = {site: without(update.metrics, valid.get(site, ())) for site, update in updates.items()}
        self.history[-1] |= {"train": train, "refused": self.history[-1]["refused"] | dict(refused)}

    def moved(
        self, phase: str, norms: Mapping[str, float], *, kept: Mapping[str, str], clipped: Mapping[str, float]
    ) -> None:
        """Adds to the entry of the round how a phase moved the model.

        Args:
            phase: its task.
            norms: of the accepted updates.
            kept: why the model did not move; empty if it did.
            clipped: site → factor of its update in the sum.
        """
        entry = self.history[-1]
        entry["norms"] = entry.get("norms", {}) | {phase: dict(norms)}
        for name, found in (("kept", kept), (CLIPPED, clipped)):
            if found:
                entry[name] = entry.get(name, {}) | {phase: dict(found)}

    def former_norms(self, phase: str) -> tuple[float, ...]:
        """The norms that were accepted in the last rounds of a phase."""
        earlier = [entry["norms"][phase] for entry in self.history if phase in entry.get("norms", ())]
        return tuple(norm for norms in earlier[-FORMER_ROUNDS:] for norm in norms.values())

    def _note_lost(self, site: str, update: UpdateMessage) -> None:
        """Notes that a site has lost what it kept: from this round on, the bits differ from those without a stop."""
        lost = {"round": update.round_number, "site": site}
        if STATE_LOST in update.metrics and lost not in self.state_lost:
            self.state_lost.append(lost)

    def state(self, *, best_round: int) -> dict[str, Any]:
        """The state to commit after the round; ``round`` is the number of rounds that the model was trained for."""
        last = self.history[-1]
        return {
            "round": last["round"] + 1,
            "site_weights": last["site_weights"],
            "best_round": best_round,
            "pairs": self.pairs,
            "skipped": self.skipped,
            "history": self.history,
            "bytes": self._traffic.bytes,
            "skipped_generations": self.skipped_generations,
            "software_changes": self.software_changes,
            "warnings": self.warnings,
            "state_lost": self.state_lost,
        } | self.absences

    @property
    def absences(self) -> dict[str, Any]:
        """Missed phases, retries and absent sites, as they are in the results."""
        return {MISSED: as_json(self.missed), RETRIES: as_json(self.retries), ABSENT: as_json(self.absent)}


def without(metrics: Mapping[str, float], names: Collection[str]) -> dict[str, float]:
    """The metrics except those of these names."""
    return {name: value for name, value in metrics.items() if name not in names}


class RunProgress:
    """Round, phase, losses, site weights and time of a run.

    Args:
        num_rounds: planned rounds.

    Attributes:
        notes: lines for the person who watches the run.
    """

    def __init__(self, num_rounds: int) -> None:
        self._started = time.monotonic()
        self._num_rounds, self._first = num_rounds, 0
        self._round, self._phase = 0, "start"
        self._losses: dict[str, float] = {}
        self._weights: dict[str, float] = {}
        self.notes: list[str] = []

    def expect(self, num_rounds: int) -> None:
        """Sets the number of rounds, for a run that learns it on the way."""
        self._num_rounds = num_rounds

    def continue_from(self, round_number: int) -> None:
        """Sets the first round of this job, for the time that remains."""
        self._first = self._round = round_number

    def enter(self, phase: str, round_number: int) -> None:
        """Notes that a phase begins."""
        self._phase, self._round = phase, round_number

    def measured(self, losses: Mapping[str, float], weights: Mapping[str, float]) -> None:
        """Notes the validation losses and the site weights of the round."""
        self._losses, self._weights = dict(losses), dict(weights)

    def as_dict(self) -> dict[str, Any]:
        """The progress for FLARE's statistics; times in seconds, ``remaining`` None before the first round is done."""
        elapsed = time.monotonic() - self._started
        done, left = self._round - self._first, self._num_rounds - self._round
        return {
            "phase": self._phase,
            "current_round": self._round,
            "num_rounds": self._num_rounds,
            "site_losses": dict(self._losses),
            "site_weights": dict(self._weights),
            "notes": list(self.notes),
            "elapsed": round(elapsed, 1),
            "remaining": round(elapsed / done * left, 1) if done else None,
        }
