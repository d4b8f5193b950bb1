"""Folders below ``$FEDAID_MODELS``, the only place that weights and vocabularies are read from."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

LOCAL, VARIABLE = "local:", "FEDAID_MODELS"


def local_file(name: str, file: str) -> Path | None:
    """Return the file ``$FEDAID_MODELS/NAME/FILE`` of ``local:NAME``, or None if it does not exist.

    The name may come from a server, so the result is None for a path outside ``$FEDAID_MODELS``, and for a
    symbolic link to one.

    Args:
        name: with its prefix ``local:``.
        file: in that folder.
    """
    root, folder = os.environ.get(VARIABLE, ""), PurePath(name.removeprefix(LOCAL))
    inside = folder.parts and not folder.is_absolute() and ".." not in folder.parts
    path = Path(root) / folder / file
    return path if name.startswith(LOCAL) and root and inside and path.is_file() and _lies_in(path, root) else None


def _lies_in(path: Path, root: str) -> bool:
    return path.resolve().is_relative_to(Path(root).resolve())


def remedy_for(name: str, file: str) -> str:
    """Return what a person must do if :func:`local_file` finds no file."""
    if not os.environ.get(VARIABLE):
        return f"{VARIABLE} is not set on this machine: set it to the folder that holds your models."
    folder = Path(os.environ[VARIABLE]) / name.removeprefix(LOCAL)
    if not _lies_in(folder / file, os.environ[VARIABLE]):
        return f"It leads out of ${VARIABLE}, perhaps by a symbolic link: copy the folder to ${VARIABLE}."
    return f"Put the file at ${VARIABLE}/{name.removeprefix(LOCAL) or 'FOLDER'}/{file} on this machine."
