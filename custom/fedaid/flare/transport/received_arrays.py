"""Receives arrays block by block, into memory or into a file; a file leaves memory for many messages at once."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from nvflare.app_common.np.np_downloader import ArrayConsumer

from fedaid.flare.transport.array_blocks import Block, is_block, nbytes, unpacked
from fedaid.training.processes.array_file import say_memory_is_used

ALIGNMENT = 64  # bytes


class Store(Protocol):
    """Takes the blocks of one message, array by array."""

    def begin(self, block: Block) -> None:
        """Makes room for the array whose first block it is."""

    def write(self, block: Block) -> None:
        """Writes a block; it follows the one before."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the received arrays; nothing can be written afterwards."""


class ArrayMemory:
    """The arrays of one message in memory; each array is allocated once."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self._bytes = np.empty(0, np.uint8)

    def begin(self, block: Block) -> None:
        """Makes room for the array whose first block it is."""
        array = self._arrays[block.name] = np.empty(block.shape, block.dtype)
        self._bytes = array.reshape(-1).view(np.uint8)

    def write(self, block: Block) -> None:
        """Writes a block."""
        self._bytes[block.offset : block.offset + len(block.data)] = np.frombuffer(block.data, np.uint8)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the received arrays."""
        return self._arrays


class Place(NamedTuple):
    """The position of an array in a file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ArrayFile:
    """The arrays of one message in an unlinked temporary file; the space is freed with the last array.

    Args:
        folder: on the disk for the file.
        writable: whether an array can be changed; its changed pages then need memory, and the file stays as it is.
    """

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by :meth:`arrays`
        self._places: dict[str, Place] = {}
        self._access = mmap.ACCESS_COPY if writable else mmap.ACCESS_READ

    def reserve(self, block: Block) -> None:
        """Takes room for the array whose first block it is.

        Raises:
            OSError: if the disk has no room for it.
        """
        if size := nbytes(block):
            try:
                os.posix_fallocate(self._file.fileno(), self._file.tell(), size + ALIGNMENT)
            except OSError:
                self._file.truncate()  # gives back what was taken of it
                raise

    def begin(self, block: Block) -> None:
        """Notes the position of the array whose first block it is; the file grows only by received bytes."""
        self._file.write(bytes(-self._file.tell() % ALIGNMENT))
        self._places[block.name] = Place(self._file.tell(), block.shape, block.dtype)

    def write(self, block: Block) -> None:
        """Appends a block."""
        self._file.write(block.data)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the arrays; the operating system reads their pages on access."""
        with self._file as file:
            if file.tell() == 0:
                return {name: np.zeros(place.shape, place.dtype) for name, place in self._places.items()}
            file.flush()
            content = mmap.mmap(file.fileno(), 0, access=self._access)
        return {name: np.ndarray(p.shape, p.dtype, buffer=content, offset=p.offset) for name, p in self._places.items()}


class ArraysAtSite:
    """The arrays of one message on the site's disk, or in memory those for which the disk has no room.

    A model is nearly all of what a site receives. On the disk it takes no memory while the site trains.

    Args:
        folder: on the disk for the file.

    Raises:
        OSError: if there is no such folder, or it takes no file.
    """

    def __init__(self, folder: Path) -> None:
        self._disk, self._memory = ArrayFile(folder, writable=True), ArrayMemory()
        self._now: Store = self._disk

    def begin(self, block: Block) -> None:
        """Makes room for the array whose first block it is."""
        self._now = self._disk
        try:
            self._disk.reserve(block)
        except OSError:
            say_memory_is_used()
            self._now = self._memory
        self._now.begin(block)

    def write(self, block: Block) -> None:
        """Writes a block."""
        self._now.write(block)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the received arrays."""
        return self._disk.arrays() | self._memory.arrays()


class Assembly(ArrayConsumer):  # type: ignore[misc]
    """Receives the items of one message, whole arrays and blocks.

    Args:
        store: takes the blocks.
        note: is called with the bytes of each item.

    Attributes:
        error: FLARE's reason why the download ended early.
        refused: what is wrong with a received item.
    """

    def __init__(self, store: Store, note: Callable[[int], None] = lambda size: None) -> None:
        super().__init__(None, {})
        self._store, self._note, self._names = store, note, set[str]()
        self._open: Block | None = None  # the last block of an array that is not complete
        self.refused = ""

    def consume(self, ref_id: str, state: dict[str, Any], data: Any) -> dict[str, Any]:
        """Receives the items of one answer."""
        try:
            for item in data:
                self._take(item)
                self._note(len(item))
        except OSError:
            raise  # an error of this disk, not of the sender
        except Exception as error:
            self.refused = f"{type(error).__name__}: {error}"
            raise
        return state

    def _take(self, item: bytes) -> None:
        if is_block(item):
            self._add(unpacked(item))
            return
        for name, array in self._to_dict(item).items():
            flat = np.ascontiguousarray(array).reshape(-1)
            self._add(Block(name, array.dtype, array.shape, 0, flat.view(np.uint8).data))

    def _add(self, block: Block) -> None:
        """Writes a block to the store; arrays must come one after another, each from its start.

        Raises:
            ValueError: if the block does not follow the one before.
        """
        last = self._open
        if last is None:
            follows = block.offset == 0 and block.name not in self._names
        else:
            follows = block[:3] == last[:3] and block.offset == last.offset + len(last.data)
        if not follows:
            raise ValueError("blocks must follow each other")
        if last is None:
            self._names.add(block.name)
            self._store.begin(block)
        self._store.write(block)
        self._open = block if block.offset + len(block.data) < nbytes(block) else None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the received arrays.

        Raises:
            ValueError: if an array is not complete.
        """
        if self._open is not None:
            raise ValueError("an array must come to its end")
        return self._store.arrays()
