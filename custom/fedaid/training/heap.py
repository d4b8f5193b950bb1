"""The C library's memory, which keeps what it was given back."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
THRESHOLD = 2**20  # bytes


def give_back_freed_memory() -> None:
    """Makes this process return every freed tensor of a MiB or more to the machine at once; where it can, on glibc.

    By itself glibc raises the size from which it does so to that of the largest block freed so far, up to 32 MiB, and
    the parts of a batch, each of another size, leave holes that none of the next fits into: a quarter of the peak.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, THRESHOLD)
