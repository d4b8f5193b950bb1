"""The file of pixels, which grows: rows that are there stay where they are."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fedaid.atomic_file import replacing
from fedaid.data.cache import new_pixels

GROWTH = 1024
"""Rows by which the file grows at least, so that its header is seldom written."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line of the journal of pixels: the image's row, or why there is none."""

    file: str
    stamp: str
    row: int
    reason: str | None


def forget_lost(journal: Path, file: Path) -> None:
    """Remove the journal of a file of pixels that is gone: its rows would be taken for pictures, and be black.

    Args:
        journal: of the file.
        file: of pixels.
    """
    if not file.exists():
        journal.unlink(missing_ok=True)


def grow(file: Path, rows: int, *, image_size: int) -> None:
    """Give the file room for so many rows, and make it where it is not there.

    numpy leaves space in the header for a longer first axis. The space on disk is taken before the header names it, so
    that the file is whole whenever the process ends.

    Args:
        file: a .npy file, float16 (N, S, S).
        rows: N that it must have at least.
        image_size: S in pixels.

    Raises:
        OSError: if the disk has no room.
    """
    if not file.exists():
        with replacing(file) as draft:
            new_pixels(draft, rows, image_size)
        return
    present = np.load(file, mmap_mode="r", allow_pickle=False)
    if len(present) >= rows:
        return
    rows = max(rows, len(present) + GROWTH)
    header = io.BytesIO()
    described = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": (rows, *present.shape[1:])}
    np.lib.format.write_array_header_1_0(header, described)
    with file.open("rb+") as opened:
        size = len(header.getvalue()) + rows * present[:1].nbytes
        os.posix_fallocate(opened.fileno(), 0, size)
        os.pwrite(opened.fileno(), header.getvalue(), 0)
