"""The file of pixels, which grows while rows keep their place, and what was seen of letters in each image."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from admin.site.prepare.imaged_study import ImageFile
from admin.site.prepare.journal import Journal
from admin.site.prepare.site_folder import SiteFolder
from fedaid.atomic_file import replacing
from fedaid.data.cache import new_pixels
from fedaid.data.letters.letters import OCR, OFF, Letters
from fedaid.data.pixels.decode_process import Answer, Request

RETRIED = ("image-crash", "image-timeout")
"""Reasons that a busy machine can cause. The next run tries such a file again."""

LETTERS = "image-letters"
"""The code of an image that is left out because of letters in it."""

Ask = Callable[[Iterable[Request], int, str], Iterator[Answer]]

GROWTH = 1024
"""Least number of rows added at once, so that the header is seldom written."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A line of the journal of pixels: the image's row, or the reason why it was not decoded."""

    file: str
    stamp: str
    row: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A line of the journal of letters: what was seen in the full image, whatever its size in the file of pixels.

    Attributes:
        file: hash of the image's path.
        stamp: see :class:`admin.site.prepare.scan.Found`.
        way: how somebody looked, "quick" or "ocr".
        seen: whether the look succeeded and the image has enough pixels to say that there are no letters.
        found: whether there are letters that may identify the patient.
        share: of the image that they cover, 0 to 1.
    """

    file: str
    stamp: str
    way: str
    seen: bool
    found: bool
    share: float


class Pictures:
    """The images that are decoded, and what was seen of letters in them: inside a ``with`` block.

    Args:
        site: the folder of the result.
        images: the folder of images.
        letters: one of :data:`fedaid.data.letters.letters.WAYS`.
        apart: whether an image with letters counts as unusable.
        ask: hands requests to the decode processes; takes their number and the name of the step.
    """

    def __init__(self, site: SiteFolder, images: Path, *, letters: str, apart: bool, ask: Ask) -> None:
        decoded = site.private / f"images-{site.image_size}.jsonl"
        forget_lost(decoded, site.pixels)
        self._site, self._images, self._letters, self._apart, self._ask = site, images, letters, apart, ask
        self._decoded, self._looked = Journal(decoded, Decoded), Journal(site.private / "letters.jsonl", Looked)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for journal in (self._decoded, self._looked):
            journal.__exit__(kind, error, at)

    def decode(self, files: Mapping[str, str], stamps: Mapping[str, str]) -> Iterator[str]:
        """Decode what is not decoded, look for letters where nobody looked, and yield each file that was decoded.

        Args:
            files: hash of each image's path → its path.
            stamps: hash of each image's path → its stamp.
        """
        new = [file for file in files if not is_done(self._decoded.get(file), stamps[file])]
        unseen = {file for file in files if self._is_unseen(file, stamps[file])}
        first = 1 + max((done.row for done in self._decoded), default=-1)
        rows = {file: first + number for number, file in enumerate(new)}
        if new:
            grow(self._site.pixels, first + len(new), image_size=self._site.image_size)
        asked = [*new, *(file for file in files if file in unseen and file not in rows)]
        lost: list[str] = []
        for file, answer in self._answers(asked, files, rows=rows, looking=unseen):
            if file in unseen:
                self._looked.add(looked(file, stamps[file], self._letters, answer.letters))
            if file in unseen and answer.reason in RETRIED:  # the look may have ended the process
                lost.append(file)
            elif file in rows:
                self._decoded.add(Decoded(file, stamps[file], rows[file], answer.reason))
                yield file
        for file, answer in self._answers([file for file in lost if file in rows], files, rows=rows):
            self._decoded.add(Decoded(file, stamps[file], rows[file], answer.reason))
            yield file

    def fault(self, file: str) -> str | None:
        """Return why an image is not used, or None."""
        done = self._decoded.get(file)
        if done is None or done.reason is not None:
            return None if done is None else done.reason
        seen = self.letters(file)
        return LETTERS if self._apart and seen and seen.found else None

    def row(self, file: str) -> int | None:
        """Return the row of an image that can be used, or None."""
        done = self._decoded.get(file)
        return None if done is None or self.fault(file) else done.row

    def letters(self, file: str) -> Looked | None:
        """Return what was seen of letters in a decoded image; None if nobody looked since it changed."""
        done, seen = self._decoded.get(file), self._looked.get(file)
        return seen if done and seen and done.stamp == seen.stamp else None

    def _is_unseen(self, file: str, stamp: str) -> bool:
        """Whether somebody is to look: reading is better than the screen, and a look is not repeated."""
        seen = self._looked.get(file)
        known = seen is not None and seen.stamp == stamp and seen.way in (self._letters, OCR)
        return self._letters != OFF and not known

    def _answers(
        self,
        asked: Sequence[str],
        files: Mapping[str, str],
        *,
        rows: Mapping[str, int],
        looking: Set[str] = frozenset(),
    ) -> Iterator[tuple[str, Answer]]:
        """Yield each file with the answer of a decode process."""
        ways = ((file, self._letters if file in looking else OFF) for file in asked)
        requests = (Request(n, self._images / files[file], rows.get(file), way) for n, (file, way) in enumerate(ways))
        for answer in self._ask(requests, len(asked), "decoding images"):
            yield asked[answer.key], answer


def looked(file: str, stamp: str, way: str, letters: Letters | None) -> Looked:
    """Return the line of the journal for a look; it saw nothing if it failed."""
    if letters is None:
        return Looked(file, stamp, way, seen=False, found=False, share=0.0)
    return Looked(file, stamp, way, seen=letters.seen, found=letters.found, share=letters.share)


def is_done(entry: ImageFile | Decoded | None, stamp: str) -> bool:
    """Return whether the journal entry of a file is still valid."""
    return entry is not None and entry.stamp == stamp and entry.reason not in RETRIED


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
