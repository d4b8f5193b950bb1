"""Tensors of a site that must outlive its process: where each task has a process of its own, they go through a file.

Only FLARE's simulator does that, when it has fewer threads than sites: it ends the process of a task without waiting
for it, so what is kept is written at once. It announces every task with SWAP_IN whatever its threads; a process that
hears that a second time is one that lasts. Elsewhere nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext
from safetensors import safe_open
from safetensors.numpy import save_file

from fedaid.atomic_file import replacing

Arrays = Mapping[str, NDArray[Any]]


class SwapFile:
    """One file in the run's folder of this site.

    Args:
        name: of what it holds.
    """

    def __init__(self, name: str) -> None:
        self._name, self._announced = name, 0

    def notice(self, event_type: str) -> None:
        """Takes note of a task that may have a process of its own."""
        self._announced += event_type == EventType.SWAP_IN

    @property
    def needed(self) -> bool:
        """Whether this process may end with its task."""
        return self._announced == 1

    def write(self, fl_ctx: FLContext, tensors: Arrays, described: Mapping[str, Any]) -> None:
        """Writes tensors and what there is to say of them (plain JSON), if needed; replaces the file in one step."""
        if not self.needed:
            return
        ordered = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
        with replacing(self._file(fl_ctx)) as draft:
            save_file(ordered, draft, metadata={"described": json.dumps(described)})

    def read(self, fl_ctx: FLContext) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """What was written last, or None if nothing was."""
        path = self._file(fl_ctx)
        if not path.exists():
            return None
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return tensors, json.loads(file.metadata()["described"])

    def _file(self, fl_ctx: FLContext) -> Path:
        folder = Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id()))
        return folder / f"fedaid_{self._name}.safetensors"
