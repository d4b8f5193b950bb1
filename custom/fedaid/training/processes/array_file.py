"""Arrays in a file of a private folder; nothing is pickled.

Arrays that are read from a file stay on the disk: the operating system reads their pages on access and can drop them
again. A change of an array stays in this process; only the changed pages need memory then.
"""

from __future__ import annotations

import json
import logging
import math
import mmap
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

LOG = logging.getLogger(__name__)
Arrays = Mapping[str, NDArray[Any]]
LARGE = 2**20  # bytes
HEAD = 8  # bytes of the length of a safetensors header
METADATA = "__metadata__"


def save_arrays(arrays: Arrays, file: Path) -> None:
    """Writes arrays of any memory layout."""
    save_file({name: np.asarray(array, order="C") for name, array in arrays.items()}, file)


def take_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, whose name is removed; its space is freed with the last array."""
    arrays = mapped(file)
    file.unlink()
    return arrays


def put_aside(arrays: Arrays, folder: Path | None) -> dict[str, NDArray[Any]]:
    """Copies of the arrays in a file without a name; copies in memory if the disk has no room.

    Args:
        arrays: of any memory layout.
        folder: on the disk for the file; None for the machine's temporary folder.
    """
    try:
        # NFS keeps a removed file that is mapped under another name, so the folder cannot be removed yet
        with TemporaryDirectory(prefix="fedaid_aside_", dir=folder, ignore_cleanup_errors=True) as own:
            file = Path(own) / "arrays.safetensors"
            save_arrays(arrays, file)
            return mapped(file)
    except (OSError, SafetensorError):
        say_memory_is_used()
        return {name: np.array(array, order="C") for name, array in arrays.items()}


def out_of_memory(arrays: Arrays, folder: Callable[[], Path]) -> dict[str, NDArray[Any]]:
    """The arrays; large ones that are in memory only are put aside.

    Args:
        arrays: of any memory layout; nobody changes them any more.
        folder: on the disk for the file; it is not called without large arrays.
    """
    large = {name: array for name, array in arrays.items() if array.nbytes >= LARGE and not is_mapped(array)}
    return {**arrays, **put_aside(large, folder())} if large else dict(arrays)


def is_mapped(array: NDArray[Any]) -> bool:
    """Whether the array is of pages that :func:`mapped` or :func:`untouched_zeros` has made."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, mmap.mmap)


def untouched_zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros in pages of their own, which take no memory until somebody writes to them.

    numpy's would be written to memory that the process has used before.
    """
    size = math.prod(shape) * dtype.itemsize
    if size < mmap.PAGESIZE:
        return np.zeros(shape, dtype)
    return np.ndarray(shape, dtype, buffer=mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


@cache
def say_memory_is_used() -> None:
    """Says once in this process that arrays are in memory, because the disk does not take them."""
    LOG.warning("the disk has no room for arrays, or takes no file: they need memory instead. Free space on it")


def mapped(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a safetensors file."""
    with file.open("rb") as opened:
        content = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    start = HEAD + int.from_bytes(content[:HEAD], "little")
    head = json.loads(content[HEAD:start])
    head.pop(METADATA, None)
    return {
        name: np.ndarray(at["shape"], numpy_type(at["dtype"]), buffer=content, offset=start + at["data_offsets"][0])
        if at["data_offsets"][0] < at["data_offsets"][1]
        else np.empty(at["shape"], numpy_type(at["dtype"]))
        for name, at in head.items()
    }


def numpy_type(name: str) -> np.dtype[Any]:
    """The type of a safetensors name such as F32, U8 or BOOL."""
    return np.dtype(bool) if name == "BOOL" else np.dtype(f"<{name[0].lower()}{int(name[1:]) // 8}")
