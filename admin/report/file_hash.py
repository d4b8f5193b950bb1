"""The hash of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(file: Path) -> str:
    """The hash of a file of any size."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
