"""Paths in a site's tables: below the data root, in the notation of this system or of Windows."""

from __future__ import annotations

import re
from pathlib import Path

from fedaid.data.unusable import UnusableStudy

_WINDOWS = re.compile(r"[A-Za-z]:(?:[\\/]|.*\\)|\\\\|//[^/]|file:", re.IGNORECASE)


def is_windows_path(relative: str) -> bool:
    """Whether a path begins with a drive ("C:\\") or a server ("\\\\server\\share") of Windows."""
    return _WINDOWS.match(relative) is not None


def with_slashes(relative: str) -> str:
    r"""Return a path with slashes: "images\1.dcm" becomes "images/1.dcm"."""
    return relative.replace("\\", "/")


def file_inside(root: Path, relative: str, *, kind: str) -> Path:
    """Return the path of a file below the root, with links resolved. Backslashes separate folders.

    Args:
        root: the data root, resolved.
        relative: path in the manifest.
        kind: "image" or "report".

    Raises:
        UnusableStudy: the kind with "-missing", "-outside-root", "-windows-path" or "-other-case".
    """
    if not relative:
        raise UnusableStudy(f"{kind}-missing")
    if is_windows_path(relative):
        raise UnusableStudy(f"{kind}-windows-path")
    try:
        path = (root / relative).resolve()
        if "\\" in relative and not path.is_file():
            relative = with_slashes(relative)
            path = (root / relative).resolve()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # a loop of symlinks, a name that is too long, a zero byte
        raise UnusableStudy(f"{kind}-missing") from None
    if Path(relative).is_absolute() or not path.is_relative_to(root):
        raise UnusableStudy(f"{kind}-outside-root")
    if not found:
        raise UnusableStudy(f"{kind}-{'other-case' if _in_other_case(root, path) else 'missing'}")
    return path


def _in_other_case(root: Path, path: Path) -> bool:
    """Whether a file below the root has this path but for upper and lower case."""
    folders = [root]
    for name in path.relative_to(root).parts:
        try:
            folders = [entry for folder in folders if folder.is_dir() for entry in folder.iterdir()
                       if entry.name.casefold() == name.casefold()]  # fmt: skip
        except OSError:
            return False
    return any(entry.is_file() for entry in folders)
