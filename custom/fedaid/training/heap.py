"""The heap of the C library, which does not return freed memory to the machine by itself."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
THRESHOLD = 2**20  # bytes


def give_back_freed_memory() -> None:
    """Makes this process return every freed tensor of a MiB or more to the machine at once; it needs glibc.

    Without it glibc raises that size to the largest block freed so far, up to 32 MiB. Then activations and gradients,
    which have different sizes, fragment the memory: with ViT-B/16 and BERT-base by 0.8 of the model.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, THRESHOLD)


def give_back_free_memory() -> None:
    """Returns what is free in this process now to the machine, once; it needs glibc."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
