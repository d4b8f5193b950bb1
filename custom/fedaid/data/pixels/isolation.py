"""Compressed pixels, decoded in a child process of their own.

GDCM 3.2 ends its process (std::terminate, or a fault in memory) on some damaged JPEG streams. One damaged file must not
take a site down, so the decoder runs where it can only take down itself. The result comes back through shared memory:
no pipe that another child might hold open, and nothing to unpickle. POSIX only, as it forks.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import signal
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

SECONDS = 120
"""How long a child may take: a hundred times what the largest picture needs."""


def decoded_in_child(
    decode: Callable[[], ArrayLike], shape: tuple[int, int], *, seconds: int = SECONDS
) -> NDArray[np.float64]:
    """Return what `decode` returns, as numbers of that shape, or raise if it fails in any way.

    Args:
        decode: runs in the child; it must touch neither threads nor devices of the parent.
        shape: (H, W) that its result must have.
        seconds: after which the child is ended.

    Raises:
        ValueError: if it raised, ended its process, took too long or returned another number of values.
    """
    size = shape[0] * shape[1] * np.dtype(np.float64).itemsize
    with mmap.mmap(-1, size) as shared:
        child = os.fork()
        if child == 0:
            _run(decode, shared, shape=shape, seconds=seconds)
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise ValueError("the decoder failed")
        return np.frombuffer(shared.read(size), dtype=np.float64).reshape(shape)


def _run(decode: Callable[[], ArrayLike], shared: mmap.mmap, *, shape: tuple[int, int], seconds: int) -> None:
    """Decode into the shared memory, in silence, and end this process whatever happens."""
    status = 1
    try:
        faulthandler.disable()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        shared.write(np.asarray(decode(), dtype=np.float64).reshape(shape).tobytes())
        status = 0
    finally:
        os._exit(status)
