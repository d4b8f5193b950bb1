"""One copy of a model for all sites of a task.

FLARE 2.9.0 copies the data of a broadcast before it sends it, so that nothing that happens at the server while it is
sent can change it. With a model that copy is as large as the model. Nothing at the server changes arrays in place, so
FLARE gets its copy with the same arrays, which cannot be written to there.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

COPY = "_broadcast_data"  # the attribute of a task in which FLARE looks for its copy


def share_arrays(task: Task) -> None:
    """Gives the task FLARE's copy of its data, with arrays that are not copied and cannot be changed.

    The copy is made where FLARE makes it: for the first site, after the event that lets components change the data.
    """
    prepare = task.before_task_sent_cb

    def prepared(client_task: ClientTask, fl_ctx: FLContext) -> None:
        if prepare is not None:
            prepare(client_task, fl_ctx)
        if not hasattr(client_task.task, COPY):
            setattr(client_task.task, COPY, copied_around_arrays(client_task.task.data))

    task.before_task_sent_cb = prepared


def copied_around_arrays(data: Shareable) -> Shareable:
    """A deep copy with read-only views of the same arrays."""
    arrays = {id(array): read_only(array) for array in arrays_in(data)}
    copied: Shareable = copy.deepcopy(data, arrays)
    return copied


def arrays_in(value: Any) -> list[np.ndarray[Any, Any]]:
    """The arrays in nested dictionaries."""
    if isinstance(value, dict):
        return [array for inner in value.values() for array in arrays_in(inner)]
    return [value] if type(value) is np.ndarray else []


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A view of the array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view
