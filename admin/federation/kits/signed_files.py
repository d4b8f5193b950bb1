"""Compare a kit's files with FLARE's ``signature.json``, which kits for confidential or encrypted work have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from nvflare.lighter.utils import verify_content

from admin.federation.kits.startup_kit import StartupKit, read_object

SIGNATURES = "signature.json"


def signed_folders(kit: StartupKit) -> list[Path]:
    """Return the folders of the kit that have signatures."""
    return sorted(file.parent for file in kit.folder.rglob(SIGNATURES) if file.is_file())


def altered_files(kit: StartupKit, folder: Path) -> list[tuple[Path, str]]:
    """Return the files of a signed folder that the authority has not signed as they are, each with the reason.

    Raises:
        OSError: a file cannot be read.
        InputError: the signatures or the authority's certificate cannot be read.
    """
    signatures = read_object(folder / SIGNATURES)
    key: Any = kit.authority.content.public_key()
    present = {path.name: path for path in folder.iterdir() if path.is_file() and path.name != SIGNATURES}
    missing = [(folder / name, "missing") for name in signatures if not (folder / name).exists()]
    added = [(path, "not signed") for name, path in present.items() if name not in signatures]
    changed = [
        (path, "altered")
        for name, path in present.items()
        if name in signatures and not fits(path, signatures[name], key)
    ]
    return sorted([*missing, *added, *changed])


def fits(file: Path, signature: object, key: Any) -> bool:
    """Return whether the signature is that of the file's content."""
    try:
        verify_content(file.read_bytes(), signature, key)
    except (InvalidSignature, ValueError, TypeError, AttributeError):
        return False
    return True
