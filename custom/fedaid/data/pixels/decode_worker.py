"""A process that reads image files: ``python -m fedaid.data.pixels.decode_worker``.

If a file makes it fail in any way, only that file is lost, and another process starts. It has limits on memory and
time, and writes no core file. Each request is one JSON line on its standard input, each answer one JSON line. An image
is written directly to its row of the shared file of pixels. The process ends with its input, hence with its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fedaid.data.header.study_tags import read_study_tags
from fedaid.data.letters.letters import OFF
from fedaid.data.pixels.grey_picture import Picture
from fedaid.data.pixels.image import radiograph_picture
from fedaid.data.pixels.resize import fit_square
from fedaid.data.unusable import UnusableStudy

READY = b'"ready"\n'


def main() -> None:
    """Answer requests until the input ends; the first line has the limits and the file of pixels."""
    requests, answers = private_streams()
    settings = json.loads(requests.readline())
    limit_memory(settings["memory"])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    pixels: PixelRows | None = None
    answers.write(READY)
    for line in requests:
        signal.setitimer(
            signal.ITIMER_REAL, settings["seconds"]
        )  # ends a process that hangs after its parent has ended
        request = json.loads(line)
        if pixels is None and request["row"] is not None:
            pixels = PixelRows(Path(settings["pixels"]))
        answer = answer_to(request, pixels)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer).encode() + b"\n")


class PixelRows:
    """The rows of a file of pixels, written one by one. A memory map would count written rows as used memory.

    Args:
        file: a .npy file, float16 (N, S, S).
    """

    def __init__(self, file: Path) -> None:
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
        self.image_size: int = mapped.shape[1]
        self._start, self._row_bytes = int(mapped.offset), mapped[:1].nbytes
        self._file = os.open(file, os.O_WRONLY)

    def write(self, row: int, picture: NDArray[np.float32]) -> None:
        """Write an image (S, S) to its row."""
        os.pwrite(self._file, picture.astype(np.float16).tobytes(), self._start + row * self._row_bytes)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Requests and answers on separate descriptors, so that the output of decoders is discarded."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    return requests, answers


def limit_memory(allowance: int) -> None:
    """Limit the growth of this process to ``allowance`` bytes of address space, and disable core files."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + allowance
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer_to(request: Mapping[str, Any], pixels: PixelRows | None) -> dict[str, Any]:
    """Answer one request: decode the file into ``row``, look for letters in it, or do both; else read its header.

    Args:
        request: ``path``; ``row`` or None; ``letters``, how to look for them, as in :mod:`fedaid.data.letters.letters`.
        pixels: the rows to write to.

    Returns:
        ``reason``, None or a code of :mod:`fedaid.data.unusable`; ``tags``, the identifiers and the kind;
        ``header``, the fields of :class:`fedaid.data.header.facts.Header`. The last two are empty for a PNG or JPEG,
        and for an image that is decoded. ``letters``, the fields of :class:`fedaid.data.letters.letters.Letters`, only
        if a look succeeded.
    """
    path, row, how = Path(request["path"]), request["row"], request.get("letters", OFF)
    answer: dict[str, Any] = {"reason": None, "tags": {}, "header": {}}
    try:
        if how == OFF and (row is None or pixels is None):
            said = read_study_tags(path)
            answer |= {"tags": said.names() | {"kind": said.kind}, "header": asdict(said.header) if said.header else {}}
        else:
            picture, pixel_height = radiograph_picture(path)
            if row is not None and pixels is not None:
                pixels.write(row, fit_square(picture, pixels.image_size, pixel_height=pixel_height))
            answer |= seen_letters(picture, how)
    except UnusableStudy as unusable:
        answer["reason"] = unusable.reason
    except MemoryError:
        answer["reason"] = "image-too-large"
    except Exception:  # an unexpected error is the fault of this file only
        answer["reason"] = "image-unreadable"
    return answer


def seen_letters(picture: Picture, how: str) -> dict[str, Any]:
    """Return what was seen of letters in a picture, under ``letters``; empty if nobody looked or the look failed.

    OpenCV and the reader are loaded with the first picture in which somebody looks.
    """
    if how == OFF:
        return {}
    try:
        from fedaid.data.letters.look import letters_in

        return {"letters": asdict(letters_in(picture, how))}
    except Exception:  # the picture itself is sound
        return {}


if __name__ == "__main__":
    main()
