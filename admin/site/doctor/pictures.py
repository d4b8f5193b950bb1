"""Decodes a site's pictures in separate processes, and measures them one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from admin.site.doctor.picture_facts import BINS, PictureFacts, grey_counts, measured
from fedaid.data.cache import new_pixels
from fedaid.data.letters.letters import OCR, Letters
from fedaid.data.pixels.decode_pool import WORKERS, DecodePool
from fedaid.data.pixels.decode_process import Answer, Limits, Request

SIDE, AT_ONCE = 256, 64
"""Pixels a side of a decoded picture; number of pictures on the disk at the same time."""

Picture = NDArray[np.float32]
Track = Callable[[Iterable[Answer], int, str], Iterator[Answer]]


@dataclass
class Album:
    """Measurements of a site's pictures.

    Attributes:
        facts: key → measurements of the picture.
        letters: key → letters seen in the full picture.
        faults: key → code of the reason why there is no picture.
        kept: key → picture (S, S) in [0, 1], for the few keys in `keep`.
        grey_levels: number of pixels of all pictures in equal bins of [0, 1].
    """

    facts: dict[int, PictureFacts] = field(default_factory=dict)
    letters: dict[int, Letters] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    kept: dict[int, Picture] = field(default_factory=dict)
    grey_levels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))

    def add(self, key: int, picture: Picture, *, keep: bool) -> None:
        """Measure a picture, and store it if `keep` is set."""
        self.facts[key] = measured(picture)
        self.grey_levels += grey_counts(picture)
        if keep:
            self.kept[key] = picture.copy()


def decoded_album(
    files: Sequence[tuple[int, Path]], folder: Path, *, keep: frozenset[int], track: Track, limits: Limits | None = None
) -> Album:
    """Return the measurements of the pictures in these files. At most :data:`AT_ONCE` pictures are on the disk.

    Args:
        files: key and path of each file.
        folder: private folder for temporary pictures, which are removed.
        keep: keys of the pictures to keep.
        track: shows progress.
        limits: limits of time, bytes and pixels of a file.
    """
    album = Album()
    if not files:
        return album
    with tempfile.TemporaryDirectory(dir=folder, prefix=".doctor-") as inside:
        pixels = Path(inside) / "pictures.npy"
        new_pixels(pixels, AT_ONCE, SIDE)
        with DecodePool(pixels, workers=min(WORKERS, len(files)), limits=limits) as pool:
            for answer in track(_answers(pool, files), len(files), "looking at pictures"):
                if answer.letters is not None:
                    album.letters[files[answer.key][0]] = answer.letters
                if answer.reason is None:
                    row = answer.key % AT_ONCE
                    album.add(files[answer.key][0], picture_at(pixels, row), keep=files[answer.key][0] in keep)
                else:
                    album.faults[files[answer.key][0]] = answer.reason
    return album


def _answers(pool: DecodePool, files: Sequence[tuple[int, Path]]) -> Iterator[Answer]:
    """Yield the answers in batches, so that a row is read before it is written again."""
    for first in range(0, len(files), AT_ONCE):
        batch = range(first, min(first + AT_ONCE, len(files)))
        yield from pool.run(Request(number, files[number][1], number % AT_ONCE, letters=OCR) for number in batch)


def prepared_album(rows: Sequence[tuple[int, Path, int]], *, keep: frozenset[int]) -> Album:
    """Return the measurements of a prepared site's pictures, read row by row.

    Args:
        rows: key, file of pixels and row of each picture.
        keep: keys of the pictures to keep.
    """
    album = Album()
    for key, file, row in rows:
        try:
            picture = picture_at(file, row)
        except (OSError, ValueError, EOFError):
            album.faults[key] = "image-unreadable"
            continue
        if np.isfinite(picture).all() and np.ptp(picture) > 0:
            album.add(key, picture, keep=key in keep)
        else:
            album.faults[key] = "image-constant"
    return album


def picture_at(file: Path, row: int) -> Picture:
    """Return one picture (S, S) of a .npy file (N, S, S). It is read, not mapped, so its memory is freed with it.

    Raises:
        ValueError: if the file has another shape or no such row.
    """
    mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    if mapped.ndim != 3 or not 0 <= row < len(mapped):
        raise ValueError("no such row")
    count, start = mapped[0].size, mapped.offset + row * mapped[0].nbytes
    return np.fromfile(file, dtype=mapped.dtype, count=count, offset=start).reshape(mapped.shape[1:]).astype(np.float32)
