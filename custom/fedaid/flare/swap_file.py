"""Tensors of a site that must outlive its process: where each task has a process of its own, they go through a file.

FLARE's simulator does that when it has fewer threads than sites, and fires SWAP_OUT before it ends a process. Elsewhere
nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext
from safetensors import safe_open
from safetensors.numpy import save_file

Arrays = Mapping[str, NDArray[Any]]


class SwapFile:
    """One file in the run's folder of this site.

    Args:
        folder: of the run, at the site.
        name: of what it holds.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"fedaid_{name}.safetensors"

    def write(self, tensors: Arrays, described: Mapping[str, Any]) -> None:
        """Writes tensors and what there is to say of them (plain JSON), replacing the file before in one step."""
        unfinished = self._file.with_suffix(".unfinished")
        ordered = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
        save_file(ordered, unfinished, metadata={"described": json.dumps(described)})
        unfinished.replace(self._file)

    def read(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """What was written last, or None if nothing was."""
        if not self._file.exists():
            return None
        with safe_open(self._file, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            return tensors, json.loads(file.metadata()["described"])


def run_folder(fl_ctx: FLContext) -> Path:
    """The folder of this run at the site."""
    return Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id()))
