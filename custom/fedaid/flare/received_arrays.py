"""Arrays that sites send lie on the server's disk as soon as they arrive, so that many answers at once fit its memory.

FLARE decodes an answer before anything of ours sees it, and all answers of a phase may come at the same moment. It can
keep torch's tensors on disk meanwhile, but not numpy's arrays; its own hook for arrays as they come does that here.
"""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from nvflare.app_common.decomposers.numpy_decomposers import NumpyArrayDecomposer
from nvflare.app_common.np.np_downloader import download_arrays
from nvflare.fuel.utils import fobs
from nvflare.fuel.utils.fobs.decomposers.via_downloader import ViaDownloaderDecomposer

ALIGNMENT = 64  # bytes


class Place(NamedTuple):
    """Where an array lies in a file."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ArrayFile:
    """The arrays of one message in one file without a name, which is gone when the last of them is.

    Args:
        folder: on whose disk it lies.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by :meth:`arrays`

    def put(self, arrays: dict[str, NDArray[Any]]) -> dict[str, Place]:
        """Appends arrays and returns where each one lies."""
        places = {}
        for name, array in arrays.items():
            places[name] = Place(self._file.tell(), array.shape, array.dtype)
            array.tofile(self._file)
            self._file.write(bytes(-array.nbytes % ALIGNMENT))
            self._file.flush()
        return places

    def arrays(self, places: dict[str, Place]) -> dict[str, NDArray[Any]]:
        """The arrays, read-only, whose pages are read when they are looked at; nothing can be put afterwards."""
        with self._file as file:
            if file.tell() == 0:
                return {name: np.zeros(place.shape, place.dtype) for name, place in places.items()}
            file.flush()
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return {name: np.ndarray(p.shape, p.dtype, buffer=content, offset=p.offset) for name, p in places.items()}


def receive_on_disk(folder: Path) -> None:
    """From now on arrays that this process downloads from another one lie on disk.

    Args:
        folder: of the run.
    """
    fobs.register(NumpyArrayDecomposer)  # does nothing where it is there already
    handler: ViaDownloaderDecomposer = fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())

    def download(**source: Any) -> tuple[str | None, dict[str, NDArray[Any]] | None]:
        """As FLARE's own: an error, or the arrays of a message by their names there."""
        file = ArrayFile(folder)
        error, places = download_arrays(**source, arrays_received_cb=file.put)
        return error, None if error else file.arrays(places or {})

    handler.download = download
