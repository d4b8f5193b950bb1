"""What was done, a line a file, so that a run that was killed goes on where it was and none is done twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Generic, Protocol, Self, TypeVar


class Entry(Protocol):
    """One line: a frozen dataclass of texts and numbers; the last one of a ``file`` holds."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def file(self) -> str:
        """What it is about."""


Line = TypeVar("Line", bound=Entry)


class Journal(Generic[Line]):
    """Entries of one kind, appended to a file as they come, while the ``with`` block lasts.

    A line that was being written when the process was killed is cut off; what it was about is done again.

    Args:
        path: made with mode 0600 where it is not there.
        kind: the dataclass of a line.
        keep: what of an entry stays in memory.
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
        """Keep an entry, in place of an earlier one of the same file."""
        os.write(self._descriptor, json.dumps(asdict(entry)).encode() + b"\n")
        self._entries[entry.file] = self._keep(entry)

    def get(self, file: str) -> Line | None:
        """The entry of a file."""
        return self._entries.get(file)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._entries.values())


def entries(lines: Iterable[bytes], kind: type[Line]) -> Iterator[Line]:
    """The entries of a journal; what a version with other fields wrote, or cut short, counts as not done.

    Args:
        lines: of a journal's file; of two entries of one file the last one holds.
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
    """The number of bytes up to the last whole line's end, of a file that was read to its end."""
    size = file.tell()
    while size and os.pread(file.fileno(), 1, size - 1) != b"\n":
        size -= 1
    return size
