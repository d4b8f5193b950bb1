"""Accepted updates of a phase, on disk until they are summed: the server holds one in memory, however many sites."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from fedaid.flare.wire.tasks import Arrays


class Spool:
    """Updates by site name, one file each.

    Args:
        folder: of this spool alone, in the run's folder; emptied now, removed by :meth:`clear`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self.clear()

    def put(self, site: str, update: Arrays) -> None:
        """Writes the update of a site but for tensors of zeros, which are no part of a sum."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{len(self._files):05d}.safetensors"  # a site's name may be no file name
        save_file({name: np.asarray(tensor, order="C") for name, tensor in update.items() if tensor.any()}, file)
        self._files[site] = file

    def tensor(self, name: str) -> Mapping[str, Arrays]:
        """site → {name: tensor}, read when it is looked up; without the tensor for a site that did not send it."""
        return SpooledTensor(self._files, name)

    def clear(self) -> None:
        """Removes all updates from the disk."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._files = {}


class SpooledTensor(Mapping[str, Arrays]):
    """One tensor of every site's update; only what is looked up is in memory.

    Args:
        files: site → file.
        name: of the tensor.
    """

    def __init__(self, files: Mapping[str, Path], name: str) -> None:
        self._files, self._name = files, name

    def __getitem__(self, site: str) -> dict[str, NDArray[Any]]:
        with safe_open(self._files[site], framework="numpy") as file:
            return {self._name: file.get_tensor(self._name)} if self._name in file.keys() else {}  # noqa: SIM118

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
