"""Tensors that a component of a site needs again in a later task.

They stay in this process. Large ones are pages of a file without a name, which need no memory while the site trains.

Only one case needs a file that another process finds: FLARE's simulator with fewer threads than sites. It starts a new
process for each task and ends it without waiting, so everything is written at once. The simulator announces every task
with SWAP_IN, whatever the number of threads. A process that receives a second task is long-lived, so no such file is
needed from then on, and outside the simulator there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext
from safetensors import safe_open
from safetensors.numpy import save_file

from fedaid.atomic_file import replacing
from fedaid.training.processes.array_file import out_of_memory


class Remembered(NamedTuple):
    """A set of tensors, and plain JSON that describes it."""

    tensors: dict[str, NDArray[Any]]
    description: Mapping[str, Any]


class TaskMemory:
    """Named sets of tensors; each set has a file of its own in the run's folder, if files are needed at all.

    Attributes:
        announced: tasks that FLARE's simulator has announced; 0 in a federation.
    """

    def __init__(self) -> None:
        self._sets: dict[str, Remembered] = {}
        self.announced = 0  # tasks

    def notice(self, event_type: str) -> None:
        """Counts the tasks of this process; the component passes on every event that it gets."""
        self.announced += event_type == EventType.SWAP_IN

    @property
    def may_end_with_task(self) -> bool:
        """Whether this process may end with its task, so that what it remembers must be in a file."""
        return self.announced == 1

    def remember(
        self,
        name: str,
        tensors: dict[str, NDArray[Any]],
        *,
        fl_ctx: FLContext,
        description: Mapping[str, Any] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Replaces the set of this name; its file, if one is needed, is replaced in one step.

        Returns:
            The tensors as they are remembered; whoever goes on with them does not hold them in memory.
        """
        tensors = out_of_memory(tensors, lambda: file_of(name, fl_ctx).parent)
        self._sets[name] = Remembered(tensors, description or {})
        if self.may_end_with_task:
            ordered = {label: np.asarray(tensor, order="C") for label, tensor in tensors.items()}
            with replacing(file_of(name, fl_ctx)) as draft:
                save_file(ordered, draft, metadata={"described": json.dumps(description or {})})
        return tensors

    def recall(self, name: str, fl_ctx: FLContext) -> Remembered | None:
        """The set of this name, from memory or from the file of an earlier process; None if there is neither."""
        return self._sets.get(name) or read(file_of(name, fl_ctx))


def read(file: Path) -> Remembered | None:
    """The set in a file, or None if there is no such file."""
    if not file.exists():
        return None
    with safe_open(file, framework="numpy") as opened:
        tensors = {label: opened.get_tensor(label) for label in opened.keys()}  # noqa: SIM118 (not a dict)
        return Remembered(tensors, json.loads(opened.metadata()["described"]))


def file_of(name: str, fl_ctx: FLContext) -> Path:
    """The file of a set in the run's folder of this site."""
    folder = Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id()))
    return folder / f"fedaid_{name}.safetensors"
