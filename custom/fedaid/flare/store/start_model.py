"""The finished model that a run starts from: its file in the job, and which of its tensors are taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from fedaid.errors import InputError, require
from fedaid.models.saved_model import WEIGHTS
from fedaid.models.tensor_names import is_alignment
from fedaid.sealed_folder import description, manifest_of, require_whole

START = "start"  # key of states and results: where the run began
FOLDER = "start_model"  # in the server's app of a job
AGAIN = "Package the job again: python -m admin package NAME --from FOLDER."
Specs = Mapping[str, tuple[tuple[int, ...], str]]  # name → shape, type


class StartModel(NamedTuple):
    """Where a run began, as its records say it.

    Attributes:
        name: of the folder that the model came from, without its path.
        sha256: of the file with its weights; a job's configuration has the first digits only, see :meth:`of`.
        towers_only: whether the alignment modules and the logit scale were drawn anew.
    """

    name: str
    sha256: str
    towers_only: bool

    def of(self, app: Path) -> StartModel:
        """The same with all digits, from the manifest in a job's app; as it is if the manifest is of another file."""
        try:
            whole = str(manifest_of(app / FOLDER)[WEIGHTS]["sha256"])
        except (OSError, KeyError):  # start_tensors gives the error if the file is needed
            return self
        return self._replace(sha256=whole) if whole.startswith(self.sha256) else self


def start_tensors(app: Path, specs: Specs, start: StartModel) -> dict[str, NDArray[Any]]:
    """The tensors that a model takes from the start model in a job's app.

    A model with low-rank adapters takes the weights of one without; its adapters then start as they are drawn.

    Args:
        app: folder of the server's app.
        specs: shape and type of each tensor of the model.
        start: what the job's configuration says.

    Raises:
        InputError: if the file is not the one of the configuration, or does not fit the model.
    """
    folder = app / FOLDER
    rule, held = f"be in the folder {FOLDER} of the job", (folder / WEIGHTS).is_file()
    require(held, "start model", rule, got="no file", where=start.name, remedy=AGAIN)
    require_whole(folder)
    found, rule = description(folder / WEIGHTS)["sha256"], f"have sha256 {start.sha256[:12]}…"
    require(found.startswith(start.sha256), "start model", rule, got=f"{found[:12]}…", where=start.name, remedy=AGAIN)
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        got, remedy = type(error).__name__, "Copy or download the folder again."
        raise InputError("start model", "be a whole file", got=got, where=start.name, remedy=remedy) from error
    return taken(tensors, specs, start)


def taken(tensors: Mapping[str, NDArray[Any]], specs: Specs, start: StartModel) -> dict[str, NDArray[Any]]:
    """The tensors by the model's names; refuses what does not fit, so that nothing starts at random unnoticed.

    Raises:
        InputError: naming the tensor.
    """
    left = {name for name in tensors if start.towers_only and is_alignment(name)}
    found: dict[str, NDArray[Any]] = {}
    for name in (name for name in specs if not (start.towers_only and is_alignment(name))):
        source = name if name in tensors else name.replace(".base_layer.", ".")
        if source in tensors:
            found[name] = fitting(name, tensors[source], specs, start)
            left.add(source)
        else:
            demand(".lora_" in name, f"have the tensor {name}", got="a file without it", start=start)
    extra = sorted(tensors.keys() - left)
    demand(not extra, "have the job's tensors only", got=f"also {extra[:1]} ({len(extra)} in all)", start=start)
    return found


def fitting(name: str, tensor: NDArray[Any], specs: Specs, start: StartModel) -> NDArray[Any]:
    """The tensor, if it has the shape and the type of the model's, and finite values."""
    shape, dtype = specs[name]
    demand(tensor.shape == shape, f"have {name} of shape {shape}", got=tensor.shape, start=start)
    demand(tensor.dtype == dtype, f"have {name} of type {dtype}", got=tensor.dtype, start=start)
    demand(bool(np.isfinite(tensor).all()), f"have a finite {name}", got="NaN or infinity", start=start)
    return tensor


def demand(condition: bool, rule: str, *, got: object, start: StartModel) -> None:
    """An error about the start model unless the condition holds."""
    remedy = "Start from a whole model of the job's architecture."
    require(condition, "start model", rule, got=got, where=start.name, remedy=remedy)
