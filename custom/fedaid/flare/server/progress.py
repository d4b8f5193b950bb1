"""Where a run stands, for a person who watches it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any


class RunProgress:
    """Round, phase, losses, site weights and time of a run, as plain JSON.

    Args:
        num_rounds: planned rounds.
    """

    def __init__(self, num_rounds: int) -> None:
        self._started = time.monotonic()
        self._num_rounds = num_rounds
        self._round, self._phase = 0, "start"
        self._losses: dict[str, float] = {}
        self._weights: dict[str, float] = {}

    def plan(self, num_rounds: int) -> None:
        """How many rounds there will be, where that shows on the way only."""
        self._num_rounds = num_rounds

    def enter(self, phase: str, round_number: int) -> None:
        """A phase begins."""
        self._phase, self._round = phase, round_number

    def measured(self, losses: Mapping[str, float], weights: Mapping[str, float]) -> None:
        """Validation losses and site weights of the round are known."""
        self._losses, self._weights = dict(losses), dict(weights)

    def as_dict(self) -> dict[str, Any]:
        """The state for FLARE's statistics; times in seconds, ``remaining`` None before one round is done."""
        elapsed = time.monotonic() - self._started
        left = self._num_rounds - self._round
        return {
            "phase": self._phase,
            "current_round": self._round,
            "num_rounds": self._num_rounds,
            "site_losses": dict(self._losses),
            "site_weights": dict(self._weights),
            "elapsed": round(elapsed, 1),
            "remaining": round(elapsed / self._round * left, 1) if self._round else None,
        }
