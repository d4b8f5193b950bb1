"""A journal with one line per processed file, so that a killed run can continue without repeating work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Generic, Protocol, Self, TypeVar


class Entry(Protocol):
    """One line: a frozen dataclass of texts and numbers. The last entry of a ``file`` is valid."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def file(self) -> str:
        """The file that the entry describes."""


Line = TypeVar("Line", bound=Entry)


class Journal(Generic[Line]):
    """Entries of one kind, appended to a file inside a ``with`` block.

    An incomplete last line is removed, and its file is processed again.

    Args:
        path: the journal's file; created with mode 0600 if absent.
        kind: the dataclass of a line.
        keep: returns the part of an entry that stays in memory.
    """

    def __init__(self, path: Path, kind: type[Line], *, keep: Callable[[Line], Line] = lambda entry: entry) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with path.open("rb") as lines:
            self._entries = {entry.file: keep(entry) for entry in entries(lines, kind)}
            os.ftruncate(self._descriptor, _whole(lines))
        self._keep = keep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.fsync(self._descriptor)
        os.close(self._descriptor)

    def add(self, entry: Line) -> None:
        """Append an entry. It replaces an earlier entry of the same file."""
        os.write(self._descriptor, json.dumps(asdict(entry)).encode() + b"\n")
        self._entries[entry.file] = self._keep(entry)

    def get(self, file: str) -> Line | None:
        """Return the entry of a file, or None."""
        return self._entries.get(file)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._entries.values())


def entries(lines: Iterable[bytes], kind: type[Line]) -> Iterator[Line]:
    """Yield the entries of a journal. Lines that are incomplete or have other fields are skipped.

    Args:
        lines: lines of a journal. If a file has two entries, the last one is valid.
        kind: the dataclass of a line.
    """
    fields = set(kind.__dataclass_fields__)
    for line in lines:
        try:
            values = json.loads(line) if line.endswith(b"\n") else None
        except (ValueError, RecursionError):  # a disk that lost a block
            continue
        if isinstance(values, dict) and set(values) == fields:
            yield kind(**values)


def _whole(file: BinaryIO) -> int:
    """Return the number of bytes up to the end of the last complete line. The file was read to its end."""
    size = file.tell()
    while size and os.pread(file.fileno(), 1, size - 1) != b"\n":
        size -= 1
    return size
