"""Counts the bytes that a run exchanges with its sites, by round, task and direction."""

from __future__ import annotations

import copy
from threading import Lock

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.messages import message_bytes

DOWN, UP = "down", "up"  # server → site, site → server
# At these events a message is encoded as it travels: after the server's last filter, or before its first one.
MOMENTS = {EventType.AFTER_TASK_DATA_FILTER: DOWN, EventType.BEFORE_TASK_RESULT_FILTER: UP}
PROPERTY = {DOWN: FLContextKey.TASK_DATA, UP: FLContextKey.TASK_RESULT}


class Traffic:
    """Counts messages at the server, between its filters and FLARE's transport."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {}
        self._lock = Lock()

    def note(self, event_type: str, fl_ctx: FLContext, *, round_number: int) -> None:
        """Counts the message of an event; other events are ignored."""
        direction = MOMENTS.get(event_type)
        message = fl_ctx.get_prop(PROPERTY[direction]) if direction else None
        if direction and isinstance(message, Shareable):
            task, size = str(fl_ctx.get_prop(FLContextKey.TASK_NAME)), message_bytes(message)
            with self._lock:
                counts = self._counts.setdefault(str(round_number), {}).setdefault(task, {DOWN: 0, UP: 0})
                counts[direction] += size

    @property
    def bytes(self) -> dict[str, dict[str, dict[str, int]]]:
        """Round (as text, for JSON) → task → ``down`` and ``up`` → bytes, summed over the sites."""
        with self._lock:
            return copy.deepcopy(self._counts)

    @property
    def total(self) -> dict[str, int]:
        """``down`` and ``up`` → bytes of all rounds and tasks."""
        counted = [counts for tasks in self.bytes.values() for counts in tasks.values()]
        return {direction: sum(counts[direction] for counts in counted) for direction in (DOWN, UP)}

    def restore(self, counts: dict[str, dict[str, dict[str, int]]]) -> None:
        """Continues from :attr:`bytes` of an earlier job; a round that is done again is counted again."""
        with self._lock:
            self._counts = copy.deepcopy(counts)

    def describe(self, round_number: int) -> str:
        """A line for the log."""
        counts = self.bytes.get(str(round_number), {})
        parts = [f"{task} {way} {size}" for task, ways in counts.items() for way, size in ways.items()]
        return f"round {round_number}, bytes of all sites: {', '.join(parts)}"
