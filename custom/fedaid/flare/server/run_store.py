"""The generations of a run: model, optimizer, best model, state and settings, committed as one set.

A generation is a sealed folder (:mod:`fedaid.sealed_folder`) that gets its name only when all of it is on disk. There
is no pointer: the newest generation that is whole counts. A damaged one is skipped as a whole, with a reason, so a
model, site weights and a best model of different rounds never meet.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from fedaid.atomic_file import flush, replace_text
from fedaid.flare.store.generation import (
    BEST,
    ROUND,
    Generation,
    generations_in,
    mismatch,
    number_of,
    read,
)
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.models.saved_model import save_model
from fedaid.sealed_folder import (
    RUN,
    STATE,
    Damaged,
    NothingWhole,
    copy_sealed,
    damage,
    names_in,
    not_written,
    seal,
)

RESULTS = "results.json"
OPTIMIZER, VIEW = "server_optimizer.safetensors", "view.safetensors"
FINISHED, KEPT = "finished", 3
LOG = logging.getLogger(__name__)

Tensors = Mapping[str, NDArray[Any]]
NONE: Tensors = MappingProxyType({})
NOTHING: Mapping[str, Any] = MappingProxyType({})


class NewBest(NamedTuple):
    """A model that is better than those before, and its state: plain JSON with its ``round``."""

    tensors: Tensors
    state: Mapping[str, Any]


class RunStore:
    """The newest generations of a run.

    Args:
        folder: of the generations; made if absent.
        configuration: constructor arguments of the model, stored with it.
        vocabulary_hash: sha256 of the vocabulary, stored with it.

    Attributes:
        skipped: folder → why this generation was skipped.
    """

    def __init__(self, folder: Path, *, configuration: Mapping[str, Any], vocabulary_hash: str) -> None:
        self.folder = folder
        self._configuration, self._vocabulary_hash = configuration, vocabulary_hash
        self.skipped: dict[str, str] = {}
        self._newest: Generation | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def newest(self) -> Generation | None:
        """The newest whole generation, or None before the first commit; :attr:`skipped` names the damaged ones.

        Raises:
        NothingWhole: if there are generations, but every one is damaged.
        """
        if self._newest is None:
            for folder in reversed(generations_in(self.folder)):
                found = damage(folder) or mismatch(folder)
                if not found:
                    self._newest = Generation(folder, read(folder / STATE))
                    break
                self.skipped[folder.name] = found
            if self._newest is None and self.skipped:
                reasons = "; ".join(f"{name}: {reason}" for name, reason in self.skipped.items())
                raise NothingWhole(f"run {self.folder.name} has no whole generation: {reasons}")
        return self._newest

    def commit(
        self,
        tensors: Tensors,
        state: Mapping[str, Any],
        *,
        optimizer: Tensors = NONE,
        view: Tensors = NONE,
        run: Mapping[str, Any] = NOTHING,
        best: NewBest | None = None,
    ) -> Generation:
        """Writes the generation of ``state["round"]`` durably, reads it back, and removes the oldest ones.

        Args:
            tensors: of the model.
            state: plain JSON.
            optimizer: the state of the server's optimizer; if it is empty, no file is written.
            view: the model as the sites hold it, if the wire rounds it; likewise.
            run: the settings of the run, plain JSON.
            best: the best model, if it is a new one; otherwise that of the newest generation is copied.

        Raises:
            OSError: if the generation is not on disk as it was written; older ones are unchanged then.
        """
        try:
            unfinished = self._fresh(f".{ROUND}.unfinished")
            self._write(unfinished, tensors, state)
            for name, extra in ((OPTIMIZER, optimizer), (VIEW, view)):
                if extra:
                    save_file({label: np.asarray(t, order="C") for label, t in extra.items()}, unfinished / name)
            write(unfinished / RUN, run)
            self._add_best(unfinished / BEST, best)
            seal(unfinished)
            final = self._named(unfinished, f"{ROUND}-{state['round']:05d}")
        except Damaged:
            raise
        except (OSError, SafetensorError) as error:
            raise not_written(f"round {state['round']}", error) from error
        found = damage(final)
        if found:
            raise Damaged(f"{final.name} is not on disk as it was written: {found}")
        self._newest = Generation(final, read(final / STATE))
        self._prune()
        return self._newest

    def _add_best(self, folder: Path, best: NewBest | None) -> None:
        if best is not None:
            folder.mkdir()
            self._write(folder, best.tensors, best.state)
            seal(folder)
        elif self.newest is not None and self.newest.best is not None:
            copy_sealed(self.newest.best.folder, folder)

    def finish(self, results: Mapping[str, Any]) -> None:
        """Writes the results of the finished run durably."""
        unfinished = self._fresh(f".{FINISHED}.unfinished")
        write(unfinished / RESULTS, results)
        seal(unfinished)
        shutil.rmtree(self.folder / FINISHED, ignore_errors=True)
        unfinished.rename(self.folder / FINISHED)
        flush(self.folder)

    @property
    def results(self) -> dict[str, Any] | None:
        """The results of the finished run; None if it is not finished, or if its results are damaged.

        None as well if the newest whole generation is not the one that they were measured on: its models would be
        delivered with the numbers of others.
        """
        folder = self.folder / FINISHED
        found = read(folder / RESULTS) if folder.exists() and not damage(folder) else {}
        state = self.newest.state if self.newest else found
        measured = all(found.get(name) == state.get(name) for name in ("round", "best_round"))
        return found if found and measured else None

    def deliver(self, target: Path, results: Mapping[str, Any] = NOTHING) -> None:
        """Puts a sealed copy of the newest generation, the best model and the ledger into a job's folder.

        The copy has the names ``round-00003`` and ``best-00002``; the files ``ROUND`` and ``BEST`` name them.

        Args:
            target: emptied first.
            results: for ``results.json``; without them the file is not written.
        """
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if self.newest is not None:
            name = self.newest.folder.stem  # without the number of a round that was committed again
            copy_sealed(self.newest.folder, target / name, leave_out=(BEST,))
            replace_text(target / "ROUND", name)
            if best := self.newest.best:
                name = f"{BEST}-{best.state['round']:05d}"
                copy_sealed(best.folder, target / name)
                replace_text(target / "BEST", name)
        if (ledger := self.folder / LEDGER).exists():
            shutil.copyfile(ledger, target / LEDGER)
        if results:
            write(target / RESULTS, results)
        if names_in(target):
            seal(target)

    def _write(self, folder: Path, tensors: Tensors, state: Mapping[str, Any]) -> None:
        save_model(folder, tensors, configuration=self._configuration, vocabulary_hash=self._vocabulary_hash)
        write(folder / STATE, state)

    def _fresh(self, name: str) -> Path:
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        return folder

    def _named(self, unfinished: Path, name: str) -> Path:
        """Gives a finished folder a new name: committing a round again must not touch the one in use."""
        former = [number_of(folder) for folder in generations_in(self.folder) if folder.stem == name]
        final = self.folder / (f"{name}.{max(former) + 1}" if former else name)
        unfinished.rename(final)
        flush(self.folder)
        return final

    def _prune(self) -> None:
        """Removes all but the newest whole generations; damaged ones go with those that are older.

        One that cannot be removed, such as a link that a person has put in its place, stays.
        """
        whole = [folder for folder in generations_in(self.folder) if folder.name not in self.skipped]
        oldest = generations_in(self.folder).index(whole[-KEPT:][0])
        for folder in generations_in(self.folder)[:oldest]:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                LOG.warning(f"{folder.name} of the run store could not be removed: {error.strerror or error}")


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON object as indented text."""
    file.write_text(json.dumps({**content}, indent=1, sort_keys=True), encoding="utf-8")
