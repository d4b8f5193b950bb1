"""A cache of decoded images at the site, so that each file is read once.

Decode processes (``decode_pool.py``) read the files and write into the cache. This process only counts the results.
A site that ``python -m admin prepare`` made is not decoded again: its manifest names the rows of the file of pixels.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedaid.atomic_file import replacing
from fedaid.data.manifest import Study
from fedaid.data.pixels.decode_pool import WORKERS, Check, DecodePool, keep_going
from fedaid.data.pixels.decode_process import Request
from fedaid.errors import require

FORMAT = 2  # increase it when reading or resizing changes


@dataclass(frozen=True)
class ImageCache:
    """Images of the usable studies.

    Attributes:
        pixels: memory-mapped float16 (N, S, S) in [0, 1], never read as a whole.
        studies: row of ``pixels`` → study whose image could be decoded, in manifest order.
        skipped: reason → number of skipped studies.
    """

    pixels: NDArray[np.float16]
    studies: dict[int, Study]
    skipped: dict[str, int]


def fingerprint(studies: Sequence[Study], image_size: int) -> str:
    """The name of the cache of these files at this size; it changes when a file is replaced."""
    digest = hashlib.sha256(f"{FORMAT} {image_size}".encode())
    for study in studies:
        status = study.image.stat()
        digest.update(f"{study.image} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def new_pixels(file: Path, count: int, image_size: int) -> NDArray[np.float16]:
    """A memory-mapped file for ``count`` images; a full disk is found now, not half-way.

    Raises:
        OSError: if the disk is full.
    """
    pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(count, image_size, image_size))
    with file.open("rb+") as opened:
        os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
    return pixels


def decode(
    studies: Sequence[Study], file: Path, *, image_size: int, workers: int, check: Check
) -> tuple[list[int], dict[str, int]]:
    """Writes the decoded images to ``file``; returns the rows with an image, and reason → number of the others."""
    new_pixels(file, len(studies), image_size)
    kept: list[int] = []
    skipped: Counter[str] = Counter()
    requests = [Request(row, study.image, row) for row, study in enumerate(studies)]
    with DecodePool(file, workers=min(workers, len(requests)), check=check) as pool:
        for answer in pool.run(requests):
            if answer.reason is None:
                kept.append(answer.key)
            else:
                skipped[answer.reason] += 1
    return sorted(kept), dict(sorted(skipped.items()))


def cached_images(
    studies: Sequence[Study], folder: Path, *, image_size: int, workers: int = WORKERS, check: Check = keep_going
) -> ImageCache:
    """The images of ``studies``, decoded now or read from the cache.

    Args:
        studies: of one site's manifest.
        folder: of the cache; it never leaves the site.
        image_size: S in pixels.
        workers: number of decode processes.
        check: called while images are decoded; if it raises, decoding ends and no cache is written.

    Raises:
        InputError: if the site was prepared for another size.
    """
    if any(study.row is not None for study in studies):
        return prepared_images(studies, image_size=image_size)
    folder.mkdir(parents=True, exist_ok=True)
    name = fingerprint(studies, image_size)
    file, index = folder / f"images-{name}.npy", folder / f"images-{name}.json"
    if not (index.exists() and file.exists()):
        writer = f"{os.getpid()}."  # another job of the site may make the same cache now
        with replacing(file, writer=writer) as draft:
            kept, skipped = decode(studies, draft, image_size=image_size, workers=workers, check=check)
        with replacing(index, writer=writer) as draft:
            draft.write_text(json.dumps({"kept": kept, "skipped": skipped}))
    found = json.loads(index.read_text())
    pixels = np.load(file, mmap_mode="r", allow_pickle=False)
    return ImageCache(pixels, {row: studies[row] for row in found["kept"]}, found["skipped"])


def prepared_images(studies: Sequence[Study], *, image_size: int) -> ImageCache:
    """The images of a prepared site, from its file of pixels.

    Raises:
        InputError: if the file has another image size, or is not a file of pixels.
    """
    files = {study.image for study in studies}
    try:
        shapes = [np.load(file, mmap_mode="r", allow_pickle=False).shape[1:] for file in files]
        pixels = np.load(studies[0].image, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        shapes = []
    by_row = {study.row: study for study in studies if study.row is not None}
    sound = shapes == [(image_size, image_size)] and len(by_row) == len(studies) and max(by_row) < len(pixels)
    require(
        sound,
        "images",
        f"be prepared for an image size of {image_size}",
        got="another size" if shapes else "no file of pixels",
        where="column image of manifest.csv",
        remedy=f"Run `python -m admin prepare` again with --image-size {image_size}.",
    )
    return ImageCache(pixels, by_row, {})
