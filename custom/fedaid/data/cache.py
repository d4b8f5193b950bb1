"""Decoded images, kept at the site so that each file is read once."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedaid.data.manifest import Study
from fedaid.data.transforms import loading
from fedaid.data.unusable import UnusableStudy

FORMAT = 1  # raise it when the loading transforms change


@dataclass(frozen=True)
class ImageCache:
    """Images of the usable studies.

    Attributes:
        pixels: memory-mapped float16 (N, S, S) in [0, 1], never read as a whole.
        studies: row of ``pixels`` → study whose image could be decoded, in manifest order.
        skipped: reason → number of studies left out.
    """

    pixels: NDArray[np.float16]
    studies: dict[int, Study]
    skipped: dict[str, int]


def fingerprint(studies: Sequence[Study], image_size: int) -> str:
    """A name for the cache of these files at this size; it changes when a file is replaced."""
    digest = hashlib.sha256(f"{FORMAT} {image_size}".encode())
    for study in studies:
        status = study.image.stat()
        digest.update(f"{study.image} {status.st_size} {status.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def decode(studies: Sequence[Study], file: Path, *, image_size: int) -> tuple[list[int], dict[str, int]]:
    """Writes the decoded images to ``file``; returns the rows that hold a study and the reasons of the others."""
    pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(len(studies), image_size, image_size))
    load = loading(image_size)
    kept: list[int] = []
    skipped: Counter[str] = Counter()
    for row, study in enumerate(studies):
        try:
            pixels[row] = load({"image": study.image})["image"][0].numpy()
            kept.append(row)
        except UnusableStudy as unusable:
            skipped[unusable.reason] += 1
    pixels.flush()
    return kept, dict(skipped)


def cached_images(studies: Sequence[Study], folder: Path, *, image_size: int) -> ImageCache:
    """The images of ``studies``, decoded now or on an earlier call.

    Args:
        studies: of one site's manifest.
        folder: where the cache lies; it never leaves the site.
        image_size: S in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = fingerprint(studies, image_size)
    file, index = folder / f"images-{name}.npy", folder / f"images-{name}.json"
    if not (index.exists() and file.exists()):
        kept, skipped = decode(studies, file, image_size=image_size)
        unfinished = index.with_suffix(".tmp")
        unfinished.write_text(json.dumps({"kept": kept, "skipped": skipped}))
        unfinished.replace(index)
    found = json.loads(index.read_text())
    pixels = np.load(file, mmap_mode="r", allow_pickle=False)
    return ImageCache(pixels, {row: studies[row] for row in found["kept"]}, found["skipped"])
