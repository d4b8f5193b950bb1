"""The accepted updates of a phase on the server's disk, so that its memory does not grow with the number of sites."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from fedaid.flare.wire.tasks import Arrays
from fedaid.minmax.weighted_average import apply, weighted_sum

UPDATE_FOLDER = "fedaid_updates"  # in the run's folder


class UpdateStore:
    """Updates by site name, one file each.

    Args:
        folder: only for this store; emptied now, and removed by :meth:`clear`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self.clear()

    def put(self, site: str, update: Arrays) -> None:
        """Writes the update of a site; tensors of zeros are left out, since they do not change a sum."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{len(self._files):05d}.safetensors"  # a site's name may not be a valid file name
        save_file({name: np.asarray(tensor, order="C") for name, tensor in update.items() if tensor.any()}, file)
        self._files[site] = file

    def tensor(self, name: str) -> Mapping[str, Arrays]:
        """Site → {name: tensor}, read when it is looked up; empty for a site whose update does not have the tensor."""
        return StoredTensor(self._files, name)

    def moved(self, base: Arrays, site: str) -> dict[str, NDArray[Any]]:
        """The tensors ``base`` moved by the update of one site, as :func:`weighted_sum` adds it."""
        found: dict[str, NDArray[Any]] = {}
        for name, tensor in base.items():
            step = weighted_sum({site: self.tensor(name)[site]}, {site: 1.0})
            found[name] = np.asarray(apply({name: tensor}, step)[name])
        return found

    def keep(self, sites: Collection[str]) -> None:
        """Forgets the updates of all other sites; their files are removed with the rest."""
        self._files = {site: file for site, file in self._files.items() if site in sites}

    def clear(self) -> None:
        """Removes all updates from the disk."""
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self._files = {}


class StoredTensor(Mapping[str, Arrays]):
    """One tensor of every site's update; only what is looked up is in memory.

    Args:
        files: site → file.
        name: of the tensor.
    """

    def __init__(self, files: Mapping[str, Path], name: str) -> None:
        self._files, self._name = files, name

    def __getitem__(self, site: str) -> dict[str, NDArray[Any]]:
        try:
            with safe_open(self._files[site], framework="numpy") as file:
                return {self._name: file.get_tensor(self._name)} if self._name in file.keys() else {}  # noqa: SIM118
        except SafetensorError as error:
            raise OSError(errno.EIO, "an accepted update is damaged") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
