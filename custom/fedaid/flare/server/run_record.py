"""What a run has been through, as plain JSON: the history that is committed with the model and shown at the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.flare.wire.traffic import Traffic
from fedaid.minmax.site_weights import Move

# What a site measures in training; where a round is one task, it comes in one answer with what validation gave.
TRAINING = ("contrastive", "binding", "duplicates", "binding_weight", "proximal", "moon")


class RunRecord:
    """One entry a round, the counts that the sites reported, and the bytes that were exchanged with them.

    Args:
        traffic: what counts the bytes.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.history: list[dict[str, Any]] = []
        self.pairs: dict[str, int] = {}
        self.skipped: dict[str, dict[str, int]] = {}

    def aligned(
        self,
        round_number: int,
        updates: Mapping[str, UpdateMessage],
        weights: Mapping[str, float],
        *,
        move: Move,
        refused: Mapping[str, str],
    ) -> None:
        """Phase one is over: losses of the round's model, site weights and why they moved so, whom it refused."""
        for site, update in updates.items():
            self.pairs[site], self.skipped[site] = update.pairs, dict(update.skipped)
        valid = {site: without(update.metrics, TRAINING) for site, update in updates.items()}
        entry = {"round": round_number, "site_weights": dict(weights), "weight_move": asdict(move)}
        self.history.append(entry | {"valid": valid, "refused": dict(refused)})

    def pretrained(self, updates: Mapping[str, UpdateMessage], refused: Mapping[str, str]) -> None:
        """Phase two is over: the training losses, and whose update was refused."""
        valid = self.history[-1]["valid"]
        train = {site: without(update.metrics, valid.get(site, ())) for site, update in updates.items()}
        self.history[-1] |= {"train": train, "refused": self.history[-1]["refused"] | dict(refused)}

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
        }


def without(metrics: Mapping[str, float], names: Collection[str]) -> dict[str, float]:
    """The metrics but those of these names."""
    return {name: value for name, value in metrics.items() if name not in names}
