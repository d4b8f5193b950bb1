"""The checkpoints of a run: the model, the site weights and the round, committed together.

A checkpoint is a folder that gets its name only when all of it is on disk. The small files ``ROUND`` and ``BEST`` name
the newest and the best checkpoint. They are replaced in one step, so after a crash they name complete checkpoints.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from fedaid.atomic_file import flush, replace_text
from fedaid.models.saved_model import WEIGHTS, save_model

STATE, OPTIMIZER = "state.json", "server_optimizer.safetensors"
ROUND, BEST = "round", "best"  # kinds of checkpoint: folders round-00003 and best-00003, pointers ROUND and BEST

Tensors = Mapping[str, NDArray[Any]]
NONE: Tensors = MappingProxyType({})


class RunStore:
    """The newest checkpoints of a run, and its best model.

    Args:
        folder: of the checkpoints; made if absent.
        configuration: constructor arguments of the model, stored with it.
        vocabulary_hash: sha256 of the vocabulary, stored with it.
    """

    def __init__(self, folder: Path, *, configuration: Mapping[str, Any], vocabulary_hash: str) -> None:
        self.folder = folder
        self._configuration, self._vocabulary_hash = configuration, vocabulary_hash
        folder.mkdir(parents=True, exist_ok=True)

    def commit(self, tensors: Tensors, state: Mapping[str, Any], optimizer: Tensors = NONE) -> Path:
        """Writes the checkpoint of ``state["round"]`` durably and makes it the newest; the previous one stays.

        Args:
            tensors: of the model.
            state: plain JSON.
            optimizer: the state of the server's optimizer; if it is empty, no file is written.
        """
        return self._commit(ROUND, tensors, state, optimizer=optimizer, keep_previous=True)

    def commit_best(self, tensors: Tensors, state: Mapping[str, Any]) -> Path:
        """Writes a checkpoint durably and makes it the best one; the previous best one is removed."""
        return self._commit(BEST, tensors, state, optimizer=NONE, keep_previous=False)

    def optimizer_state(self) -> dict[str, NDArray[Any]]:
        """The state of the server's optimizer after the newest round; empty if it has no state."""
        file = self.newest(ROUND) / OPTIMIZER
        state: dict[str, NDArray[Any]] = load_file(file) if file.exists() else {}
        return state

    def newest(self, kind: str) -> Path:
        """Folder of the newest checkpoint of a kind."""
        return self.folder / (self.folder / kind.upper()).read_text()

    def state(self, kind: str) -> dict[str, Any] | None:
        """The state in the newest checkpoint of a kind, or None before the first one."""
        if not (self.folder / kind.upper()).exists():
            return None
        state: dict[str, Any] = json.loads((self.newest(kind) / STATE).read_text())
        return state

    def best_tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors of the best model."""
        tensors: dict[str, NDArray[Any]] = load_file(self.newest(BEST) / WEIGHTS)
        return tensors

    def write_results(self, results: Mapping[str, Any]) -> None:
        """Writes ``results.json``, the result of the run, for people and programs."""
        replace_text(self.folder / "results.json", json.dumps(results, indent=1, sort_keys=True))

    def _commit(
        self, kind: str, tensors: Tensors, state: Mapping[str, Any], *, optimizer: Tensors, keep_previous: bool
    ) -> Path:
        pointer = self.folder / kind.upper()
        previous = pointer.read_text() if pointer.exists() else ""
        final = self._free_folder(f"{kind}-{state['round']:05d}")
        unfinished = self.folder / f".{kind}.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir()
        save_model(unfinished, tensors, configuration=self._configuration, vocabulary_hash=self._vocabulary_hash)
        if optimizer:
            save_file(dict(optimizer), unfinished / OPTIMIZER)
        (unfinished / STATE).write_text(json.dumps(state, indent=1, sort_keys=True))
        for path in (*unfinished.iterdir(), unfinished):
            flush(path)
        unfinished.rename(final)
        flush(self.folder)
        replace_text(pointer, final.name)
        kept = {final.name, previous if keep_previous else ""}
        for old in self.folder.glob(f"{kind}-*"):
            if old.name not in kept:
                shutil.rmtree(old)
        return final

    def _free_folder(self, name: str) -> Path:
        """A folder that does not exist yet: committing a round again must not touch the checkpoint in use."""
        names = (f"{name}.{again}" if again else name for again in count())
        return next(self.folder / free for free in names if not (self.folder / free).exists())
