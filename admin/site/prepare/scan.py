"""Finds the files below a folder, each with a stamp that changes with its content."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """One file.

    Attributes:
        relative: path relative to the folder; it may hold identifiers.
        stamp: size and modification time.
        inside: false for a link that leads out of the folder.
    """

    relative: str = field(repr=False)
    stamp: str
    inside: bool = True


def find_files(folder: Path, *, leave_out: tuple[Path, ...] = ()) -> Iterator[Found]:
    """Yield every file below the folder, by name, with any ending.

    An unreadable folder, or a link to a folder outside, is yielded like a file, so that its content is not lost
    silently.

    Args:
        folder: the folder. Links to folders are not followed.
        leave_out: files and folders to skip, such as reports inside the folder.
    """
    root = folder.resolve()
    barred = {path.resolve() for path in leave_out}
    closed: list[Path] = []
    for parent, folders, files in os.walk(root, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if Path(parent, name) not in barred)
        for name in sorted([*files, *filter(lambda name: _leads_out(Path(parent, name), root), folders)]):
            path = Path(parent, name)
            if path not in barred and not (path.is_dir() and path.resolve() in barred):
                yield _found(path, root)
    yield from (_found(path, root) for path in closed)


def named_files(folder: Path, paths: Iterable[str]) -> Iterator[Found]:
    """Yield the files of some paths below a folder, in their order. A missing file has the stamp "none"."""
    root = folder.resolve()
    for path in paths:
        yield _found(root / path, root, path)


def _leads_out(folder: Path, root: Path) -> bool:
    return folder.is_symlink() and not folder.resolve().is_relative_to(root)


def _found(path: Path, root: Path, relative: str | None = None) -> Found:
    name = str(path.relative_to(root)) if relative is None else relative
    try:
        status = path.stat()
        inside = path.resolve().is_relative_to(root) if relative or path.is_symlink() else True
    except (OSError, RuntimeError, ValueError):  # a dangling link, a loop of links, an invalid name: missing
        return Found(name, "none")
    closed = "" if os.access(path, os.R_OK) else "-closed"  # a change of permission changes neither size nor time
    return Found(name, f"{status.st_size}-{status.st_mtime_ns}{closed}", inside)
