"""A file of JSON lines that cannot change unnoticed: each line has the sha256 of the line before it.

The chain shows a line that was altered, removed, added or moved. The last lines have none after them. So a small file
beside the chain names the last line that is on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from fedaid.sealed_folder import not_written

PREVIOUS, FIRST = "previous", "0" * 64
HEAD = ".head"  # suffix of the file that names the last line

Line = Mapping[str, Any]


class Head(NamedTuple):
    """The end of a chain: the number of its lines, and the sha256 of the last one."""

    lines: int
    sha256: str


class HashChain:
    """Adds lines to a chain; one process at a time.

    A process that was killed may leave half a line at the end, or a last line that is not named yet. The next one
    removes the half, and keeps the line.

    Args:
        file: of the chain; made with the first line, readable by its owner only (mode 0600).

    Attributes:
        found: the lines that the file has now.
        broken: what shows that they are not as they were written; the chain goes on after them all the same, and shows
            it from then on.
        unnamed: whether the file that names the last line is there but damaged, as a power failure can leave it. So a
            loss of the last lines would not show. The next line repairs it.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, Lock()
        whole = whole_lines(file)
        self.found, self.broken = [parsed(line) for line in whole], unlinked(whole)
        self._head = Head(len(whole), digest(whole[-1])) if whole else Head(0, FIRST)
        named = named_head(file)
        self.unnamed = named is None and bool(whole) and file.with_suffix(HEAD).exists()
        if named and hashes_of(whole)[named.lines : named.lines + 1] != [named.sha256]:
            self.broken.append(f"line {named.lines} is not the one that was written last")
            self._head = Head(len(whole), named.sha256)  # the next line does not continue a wrong one
        self._end = sum(len(line) + 1 for line in whole)  # bytes that are on disk, or on their way there
        self._waiting = b""  # lines that a full disk did not take

    @property
    def head(self) -> Head:
        """The present end of the chain."""
        return self._head

    def add(self, content: Line, *, durable: bool = False) -> None:
        """Adds a line.

        Args:
            content: plain JSON.
            durable: whether the line must be on disk now.

        Raises:
            OSError: if ``durable`` and the disk does not take the lines; otherwise they wait for the next call.
        """
        with self._lock:
            line = canonical({**content, PREVIOUS: self._head.sha256})
            self._head = Head(self._head.lines + 1, digest(line))
            self._waiting += line + b"\n"
            try:
                self._write()
                name_head(self._file, self._head)
            except OSError as error:
                if durable:
                    raise not_written(self._file.name, error) from error

    def _write(self) -> None:
        """Waits until all lines are on disk: a power failure must not lose a line that is named as the last one."""
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, self._end)  # without a part of a line
            while self._waiting:
                written = os.pwrite(handle, self._waiting, self._end)
                self._end, self._waiting = self._end + written, self._waiting[written:]
            os.fsync(handle)
        finally:
            os.close(handle)


def name_head(file: Path, head: Head) -> None:
    """Names the last line of a chain, in place: the file has always the same length."""
    number = f"{head.lines:012d} {head.sha256}"
    text = f"{number} {digest(number.encode())}\n".encode()
    handle = os.open(file.with_suffix(HEAD), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, text, 0)
        os.ftruncate(handle, len(text))  # what a damaged file has after it
    finally:
        os.close(handle)


def named_head(file: Path) -> Head | None:
    """The last line of a chain that was named; None if there is none, or if what names it is damaged."""
    named = file.with_suffix(HEAD)
    text = named.read_text(encoding="latin-1") if named.exists() else ""
    number, _, check = text.rstrip("\n").rpartition(" ")
    if digest(number.encode()) != check:
        return None
    lines, _, sha256 = number.partition(" ")
    return Head(int(lines), sha256)


def whole_lines(file: Path) -> list[bytes]:
    """The lines of a file, without one that has no end; none if there is no file."""
    return file.read_bytes().split(b"\n")[:-1] if file.exists() else []


def canonical(content: Line) -> bytes:
    """The text of a line."""
    return json.dumps(dict(content), sort_keys=True, separators=(",", ":")).encode()


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object in a line; empty if it is not one."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(line: bytes) -> str:
    """The sha256 of a line."""
    return hashlib.sha256(line).hexdigest()


def broken_links(file: Path, head: Head | None = None) -> list[str]:
    """What shows that the file is not as it was written; empty if the chain holds.

    Args:
        file: of the chain.
        head: the end of the chain, as it was noted elsewhere; later lines may follow.
    """
    lines = whole_lines(file)
    broken = unlinked(lines)
    if file.exists() and not file.read_bytes().endswith(b"\n"):
        broken.append("the last line is cut")
    if head is not None and hashes_of(lines)[head.lines : head.lines + 1] != [head.sha256]:
        broken.append(f"line {head.lines} is not the one that results.json names")
    return broken


def unlinked(lines: Sequence[bytes]) -> list[str]:
    """What shows that lines were altered, removed, added or moved; empty if each continues the line before it."""
    hashes = hashes_of(lines)
    return [
        f"line {number} does not continue the line before it"
        for number, line in enumerate(lines, start=1)
        if parsed(line).get(PREVIOUS) != hashes[number - 1]
    ]


def hashes_of(lines: Sequence[bytes]) -> list[str]:
    """The sha256 of the line before each line, and of the last one."""
    return [FIRST, *map(digest, lines)]


def lines_of(file: Path) -> Sequence[Line]:
    """The whole lines of a chain as JSON objects."""
    return [parsed(line) for line in whole_lines(file)]
