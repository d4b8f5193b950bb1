"""The plain fields of a message: read one by one, with an error for a wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.flare.store.run_folder import is_run_name
from fedaid.flare.wire.tasks import MalformedMessage, RunStamp, UpdateMessage

RUN = "run"  # the run that a message belongs to, if another job can continue it
COUNTERS = "counters"  # whole numbers of an update, such as the number of batches: name → value
LARGEST_COUNTER = 2**62


def part(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    """A field of a message.

    Raises:
        MalformedMessage: naming the field, if it has another type; a bool is not a number.
    """
    value = fields.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise MalformedMessage(f"{name} must be of type {kind.__name__}, got {type(value).__name__}")
    return value


def described(message: UpdateMessage) -> dict[str, Any]:
    """All of an update except its tensors, as plain numbers."""
    return {
        "round": message.round_number,
        "metrics": {name: float(value) for name, value in message.metrics.items()},
        "pairs": int(message.pairs),
        "skipped": {str(reason): int(count) for reason, count in message.skipped.items()},
        **stamped(message.run),
    }


def stamped(run: RunStamp | None) -> dict[str, Any]:
    """The fields of a message that say which run it belongs to; none for a run that cannot be continued."""
    return {} if run is None else {RUN: {"name": run.name, "attempt": run.attempt}}


def stamp_of(meta: Mapping[str, Any]) -> RunStamp | None:
    """The run that a message belongs to; the name must be a folder's name, because both sides keep files under it."""
    if RUN not in meta:
        return None
    fields = part(meta, RUN, dict)
    name, attempt = part(fields, "name", str), part(fields, "attempt", int)
    if not is_run_name(name):
        raise MalformedMessage("the name of a run must be letters, digits, dots, underscores and hyphens")
    return RunStamp(name, attempt)


def is_counter(tensor: NDArray[Any]) -> bool:
    """Whether a tensor is a single 64-bit whole number, such as batch norm's number of batches."""
    return tensor.shape == () and tensor.dtype == np.int64


def counters_of(fields: Mapping[str, Any]) -> dict[str, NDArray[np.int64]]:
    """The counters in the fields of an update, as arrays without axes; none if there is no such field."""
    counters = part(fields, COUNTERS, dict) if COUNTERS in fields else {}
    for value in counters.values():
        if type(value) is not int or abs(value) > LARGEST_COUNTER:
            raise MalformedMessage(f"{COUNTERS} must be whole numbers of at most 2^62")
    return {name: np.array(value, np.int64) for name, value in counters.items()}
