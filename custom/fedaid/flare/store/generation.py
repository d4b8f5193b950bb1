"""One generation of a run as a folder ``round-00003``: its name, its parts, and whether it is what its name says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load_file

from fedaid.models.saved_model import WEIGHTS
from fedaid.sealed_folder import RUN, STATE
from fedaid.training.processes.array_file import mapped

ROUND, BEST = "round", "best"  # round-00003 of the store; best in it, and best-00003 in a job's folder
NAME = re.compile(rf"{ROUND}-[0-9]{{5,}}(\.[0-9]+)?")


@dataclass(frozen=True)
class Generation:
    """A whole generation.

    Attributes:
        folder: with ``model.safetensors`` and ``config.json``.
        state: plain JSON; ``round`` is the number of rounds that the model was trained for.
    """

    folder: Path
    state: Mapping[str, Any]

    def tensors(self, file: str = WEIGHTS) -> dict[str, NDArray[Any]]:
        """The tensors in a file of the generation; empty if it has no such file."""
        path = self.folder / file
        found: dict[str, NDArray[Any]] = load_file(path) if path.exists() else {}
        return found

    def mapped(self) -> dict[str, NDArray[Any]]:
        """The tensors of the model, which stay on the disk and are read on access."""
        return mapped(self.folder / WEIGHTS)

    @property
    def run(self) -> dict[str, Any]:
        """The settings of the run; empty if none were committed."""
        return read(self.folder / RUN)

    @property
    def best(self) -> Generation | None:
        """The best model until this generation, with its state; None if there is none."""
        folder = self.folder / BEST
        return Generation(folder, read(folder / STATE)) if folder.exists() else None


def generations_in(folder: Path) -> list[Path]:
    """Folders of all generations in the order of their commits; a round may have been committed again.

    What a person has put beside them under another name, such as a copy, is left out.
    """
    found = (path for path in folder.glob(f"{ROUND}-*") if NAME.fullmatch(path.name) and path.is_dir())
    return sorted(found, key=lambda path: (path.stem, number_of(path)))


def number_of(folder: Path) -> int:
    """How often the round of a generation had been committed before it."""
    return int(folder.suffix[1:] or 0)


def mismatch(folder: Path) -> str:
    """What shows that a folder with whole files is not the generation of its name; empty if it is that."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        number = state["round"]
        same = f"{ROUND}-{number:05d}" == folder.stem and len(state.get("history", ())) in (0, number)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        same = False
    if not same:
        return f"{STATE} is not that of {folder.stem}"
    return "" if (folder / WEIGHTS).is_file() else f"there is no {WEIGHTS}"


def read(file: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no file."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return content
