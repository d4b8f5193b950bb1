"""Writes a file so that a reader sees the old file or the new one, never a part of either.

The new content goes to a draft in the same folder, which then takes the file's name in one step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(file: Path, *, durable: bool = False, private: bool = False, writer: str = "") -> Iterator[Path]:
    """The path of a draft; it replaces ``file`` when the block ends, and is removed if the block raises.

    Args:
        file: the file to replace; its folder must exist.
        durable: whether to wait until the new file is on disk, so that it survives a power failure.
        private: whether the draft exists already and only its owner can read it (mode 0600).
        writer: part of the draft's name, for a file that several processes may write at the same time.
    """
    draft = file.with_name(f".{file.name}.{writer}unfinished")
    draft.unlink(missing_ok=True)
    if private:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
        if durable:
            flush(draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    if durable:
        flush(file.parent)


def replace_text(file: Path, text: str) -> None:
    """Writes a text file as :func:`replacing` does, and waits until it is on disk."""
    with replacing(file, durable=True) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def private_file(file: Path) -> Iterator[TextIO]:
    """A text file to write to; it replaces ``file`` when the block ends, readable by its owner only (mode 0600).

    Characters that UTF-8 cannot write, such as the parts of a file name in another encoding, are escaped.
    """
    with (
        replacing(file, private=True) as draft,
        draft.open("w", encoding="utf-8", errors="backslashreplace", newline="") as opened,
    ):
        yield opened


def write_private(file: Path, text: str) -> None:
    """Writes a text file that only its owner can read, as :func:`private_file` does."""
    with private_file(file) as opened:
        opened.write(text)


def flush(path: Path) -> None:
    """Waits until a file or a folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
