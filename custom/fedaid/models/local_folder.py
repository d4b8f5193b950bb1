"""The folders that a person put below ``$FEDAID_MODELS``: the only place that weights and vocabularies come from."""

from __future__ import annotations

import os
from pathlib import Path, PurePath

LOCAL = "local:"


def local_file(name: str, file: str) -> Path | None:
    """The file that ``local:NAME`` stands for, ``$FEDAID_MODELS/NAME/FILE``, or None if there is none.

    A server names folders to a site, so a name that leads out of ``$FEDAID_MODELS`` stands for nothing.

    Args:
        name: with its prefix ``local:``.
        file: in that folder.
    """
    root, folder = os.environ.get("FEDAID_MODELS", ""), PurePath(name.removeprefix(LOCAL))
    inside = folder.parts and not folder.is_absolute() and ".." not in folder.parts
    path = Path(root) / folder / file
    return path if name.startswith(LOCAL) and root and inside and path.is_file() else None
