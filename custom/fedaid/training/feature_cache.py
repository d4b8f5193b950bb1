"""A cache of encoder outputs: in memory up to a limit, the rest in a file.

Nothing here outlives its process, unlike the tensors that a site needs in a later task
(:mod:`fedaid.flare.site.task_memory`), and the limit is on memory: a site's features can be larger than its RAM.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

import torch
from torch import Tensor

from fedaid.errors import InputError


class OnDisk(NamedTuple):
    """The place of a tensor in the file."""

    offset: int
    shape: torch.Size
    dtype: torch.dtype


class FeatureCache:
    """Tuples of tensors by number, on the CPU.

    The file is temporary and unlinked: no other process can open it, and its space is freed with the process.

    Args:
        limit: bytes to hold in memory.
        folder: of the file; None for the machine's temporary folder.
    """

    def __init__(self, limit: int, folder: Path | None = None) -> None:
        self._limit, self._folder = limit, folder
        self._cached: dict[int, tuple[Tensor | OnDisk, ...]] = {}
        self._file: IO[bytes] | None = None
        self.in_memory = self.on_disk = 0  # bytes

    def __contains__(self, number: int) -> bool:
        return number in self._cached

    def __setitem__(self, number: int, tensors: tuple[Tensor, ...]) -> None:
        size = sum(tensor.nbytes for tensor in tensors)
        if self.in_memory + size <= self._limit:
            self.in_memory += size
            self._cached[number] = tuple(tensor.detach().cpu().clone() for tensor in tensors)
        else:
            self._cached[number] = tuple(self._write(tensor) for tensor in tensors)

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        return tuple(self._read(one) if isinstance(one, OnDisk) else one for one in self._cached[number])

    def has_room_for(self, count: int) -> bool:
        """Whether this many more tuples of average size would stay in memory."""
        each = self.in_memory / max(1, len(self._cached))
        return self.on_disk == 0 and self.in_memory + count * each <= self._limit

    def clear(self) -> None:
        """Removes everything, with the file."""
        self._cached.clear()
        self.in_memory = self.on_disk = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, tensor: Tensor) -> OnDisk:
        self._file = self._file or tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        place = OnDisk(self.on_disk, tensor.shape, tensor.dtype)
        data = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        try:
            os.posix_fallocate(self._file.fileno(), place.offset, len(data))
            os.pwrite(self._file.fileno(), data, place.offset)
        except OSError as error:
            rule, remedy = "leave no more to the disk than it has room for", "Raise it, or free the site's disk."
            where = "executor args of config_fed_client.json"
            raise InputError("feature_memory_mb", rule, got=error.strerror, where=where, remedy=remedy) from error
        self.on_disk += len(data)
        return place

    def _read(self, place: OnDisk) -> Tensor:
        size = place.shape.numel() * place.dtype.itemsize
        data = bytearray(os.pread(self._file.fileno(), size, place.offset))  # type: ignore[union-attr]
        return torch.frombuffer(data, dtype=place.dtype).reshape(place.shape)
