"""One hash of this package's files: the same for the folder in a job and for an installed wheel."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import fedaid

STATED = 24  # hex digits of a hash in a job's meta.json; FLARE warns of a secret from 32 digits on
NOT_CODE = ("__pycache__", ".pyc", ".__nvfl_")  # compiled files, and what FLARE's console writes beside signed files


def code_files(package: Path) -> dict[str, bytes]:
    """The files of a package by their path in it, without compiled files and the signatures of FLARE's console.

    Args:
        package: a folder named ``fedaid``: this one, a job's copy, or an installed one.
    """
    files = sorted(file for file in package.rglob("*") if file.is_file())
    named = ((file.relative_to(package).as_posix(), file) for file in files)
    return {name: file.read_bytes() for name, file in named if not any(part in name for part in NOT_CODE)}


def code_hash(package: Path | None = None) -> str:
    """Sha256 in hex of the names and the bytes of a package's files; None stands for the code that runs here.

    Of a JSON file the value counts and not its layout: FLARE's ``nvflare job submit`` writes every JSON file anew.
    """
    if package is None:
        return hash_of_this_code()
    digest = hashlib.sha256()
    for name, written in sorted(code_files(package).items()):
        content = json.dumps(json.loads(written), sort_keys=True).encode() if name.endswith(".json") else written
        digest.update(f"{name} {len(content)} ".encode() + hashlib.sha256(content).digest())
    return digest.hexdigest()


@cache
def hash_of_this_code() -> str:
    """The hash of the code that runs here, as its files were when this was called first."""
    return code_hash(Path(str(fedaid.__file__)).parent)
