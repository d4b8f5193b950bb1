"""What every controller lets a job set, checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from fedaid.errors import require
from fedaid.minmax.settings import CORRECT, WHERE


@dataclass(frozen=True)
class RunSettings:
    """How many sites must answer, how long the server waits for them, and its other components.

    Attributes:
        min_clients: sites whose accepted answers a phase needs, at most those of the federation.
        num_rounds: rounds.
        task_timeout: seconds that the sites have for one task.
        wait_time_after_min_received: seconds that a phase waits for the other sites once ``min_clients`` have answered.
        aggregator_id, persistor_id, shareable_generator_id: components of the server; FLARE's base class needs all.

    Raises:
        InputError: naming the setting.
    """

    min_clients: int
    num_rounds: int = 1
    task_timeout: int = 7200
    wait_time_after_min_received: int = 600
    aggregator_id: str = "aggregator"
    persistor_id: str = "persistor"
    shareable_generator_id: str = "shareable_generator"

    def __post_init__(self) -> None:
        for name in ("min_clients", "num_rounds", "task_timeout"):
            require_whole(name, getattr(self, name), least=1)
        require_whole("wait_time_after_min_received", self.wait_time_after_min_received, least=0)


def require_whole(name: str, value: object, *, least: int) -> None:
    """Refuses a setting that is not a whole number of at least ``least``; a bool is not a number."""
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
    rule = f"be a whole number of at least {least}"
    require(ok, name, rule, got=repr(value), where=WHERE, remedy=CORRECT)


def require_flag(name: str, value: object, *, where: str = WHERE) -> None:
    """Refuses a setting that is neither true nor false."""
    require(isinstance(value, bool), name, "be true or false", got=repr(value), where=where, remedy=CORRECT)
