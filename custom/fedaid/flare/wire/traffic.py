"""Bytes that a run exchanges with its sites: per round, task and direction."""

from __future__ import annotations

import copy
import json
from threading import Lock
from typing import Any

import numpy as np
from nvflare.apis.dxo import from_shareable
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

DOWN, UP = "down", "up"  # server → site, site → server
# When a message lies as it travels: after the last filter on the way out, before the first on the way in.
MOMENTS = {EventType.AFTER_TASK_DATA_FILTER: DOWN, EventType.BEFORE_TASK_RESULT_FILTER: UP}
PROPERTY = {DOWN: FLContextKey.TASK_DATA, UP: FLContextKey.TASK_RESULT}


class Traffic:
    """Counts messages at the server, as they lie between its filters and FLARE's transport."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, dict[str, int]]] = {}
        self._lock = Lock()

    def note(self, event_type: str, fl_ctx: FLContext, *, round_number: int) -> None:
        """Counts the message that an event is about, if it is about one."""
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

    def describe(self, round_number: int) -> str:
        """A line for the log."""
        counts = self.bytes.get(str(round_number), {})
        parts = [f"{task} {way} {size}" for task, ways in counts.items() for way, size in ways.items()]
        return f"round {round_number}, bytes of all sites: {', '.join(parts)}"


def message_bytes(message: Shareable) -> int:
    """Bytes of a message's arrays and of the JSON beside them; headers of FLARE and of the network are not counted."""
    try:
        dxo = from_shareable(message)
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0
    fields: list[Any] = [dxo.meta]
    arrays = 0
    for value in (dxo.data or {}).values():
        if isinstance(value, np.ndarray):
            arrays += value.nbytes
        else:
            fields.append(value)
    return arrays + sum(len(json.dumps(field, default=str, skipkeys=True)) for field in fields)
