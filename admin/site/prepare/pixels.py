"""The file of pixels. It grows, and existing rows keep their place."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fedaid.atomic_file import replacing
from fedaid.data.cache import new_pixels

GROWTH = 1024
"""Least number of rows added at once, so that the header is seldom written."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line of the journal of pixels: the image's row, or the reason why it was not decoded."""

    file: str
    stamp: str
    row: int
    reason: str | None


def forget_lost(journal: Path, file: Path) -> None:
    """Remove the journal if its file of pixels no longer exists. Otherwise its rows would be read as black pictures.

    Args:
        journal: the journal of the file.
        file: the file of pixels.
    """
    if not file.exists():
        journal.unlink(missing_ok=True)


def grow(file: Path, rows: int, *, image_size: int) -> None:
    """Extend the file to a number of rows, and create it if absent.

    numpy leaves space in the header for a longer first axis. The space on disk is allocated before the header is
    changed, so that the file is valid whenever the process ends.

    Args:
        file: a .npy file, float16 (N, S, S).
        rows: least N.
        image_size: S in pixels.

    Raises:
        OSError: if the disk is full.
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
