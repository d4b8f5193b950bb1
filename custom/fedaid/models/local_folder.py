"""Folders below ``$FEDAID_MODELS``, the only place that weights and vocabularies are read from."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePath
from typing import Any

from fedaid.errors import InputError, require

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


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file of a local folder; empty if there is no such file.

    Raises:
        InputError: if the file holds something else.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        where = f"$FEDAID_MODELS/{file.parent.name}/{file.name}"
        raise InputError(file.name, "hold a JSON object", got="a damaged file", where=where, remedy="Copy it again.")
    return found


def require_no_links(folder: Path, names: tuple[str, ...] = ()) -> None:
    """An error if a file of a local folder is a link out of ``$FEDAID_MODELS``.

    Args:
        folder: below ``$FEDAID_MODELS``.
        names: of the files that are read; empty for all.
    """
    files = [folder / name for name in names] if names else sorted(folder.rglob("*"))
    outside = [file.name for file in files if file.exists() and not _lies_in(file, os.environ[VARIABLE])]
    rule, where = f"lie below ${VARIABLE}, links included", f"${VARIABLE}/{folder.name}"
    remedy = f"Copy the file itself to ${VARIABLE}."
    require(
        not outside, "file of a local folder", rule, got=f"links out of it: {outside[:3]}", where=where, remedy=remedy
    )


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
