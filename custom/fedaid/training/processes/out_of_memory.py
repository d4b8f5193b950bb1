"""Tells an error for want of memory, of the machine or of a GPU, from all others."""

from __future__ import annotations

import errno

MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
OUT_OF_MEMORY = "OutOfMemoryError"  # how one of several processes tells such an error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the error means that the memory was not enough.

    torch has a class for GPUs only, known by its name, because a process without torch asks too. Its allocator of the
    CPU raises RuntimeError, and so do CUDA's libraries.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == OUT_OF_MEMORY:
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words.lower() in str(error).lower() for words in MEMORY)
