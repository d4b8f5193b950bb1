"""A folder whose files cannot change unnoticed: ``MANIFEST.json`` has the sha256 and the size of each of them.

The manifest is written last. So a folder with a manifest was complete once, and a flipped bit or a missing byte in any
of its files, or in the manifest itself, shows when it is checked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fedaid.atomic_file import flush, replace_text
from fedaid.errors import require

MANIFEST = "MANIFEST.json"
STATE, RUN = "state.json", "run.json"  # of a generation of a run; the first is older than manifests
LOG = logging.getLogger(__name__)


class Damaged(OSError):
    """A file of a sealed folder is not as it was written; the text names the folder, the file and what differs."""


class NothingWhole(Damaged):
    """Every folder that could be used is damaged, so that a person must bring one back."""


def not_written(what: str, error: Exception) -> Damaged:
    """The error for files that the disk of the run store did not take, in one line with the remedy."""
    reason = getattr(error, "strerror", None) or str(error)
    remedy = "Free space on that disk, then submit the job again: it continues from the last whole round."
    return Damaged(f"{what} cannot be written to the run store: {reason}. {remedy}")


def seal(folder: Path) -> None:
    """Waits until all files of the folder are on disk, then writes its manifest; files may be in sub-folders."""
    write_manifest(folder, {name: description(folder / name) for name in names_in(folder)})


def damage(folder: Path) -> str:
    """What differs from the manifest, in a few words; empty if the folder is whole. Files beside it are ignored."""
    try:
        known = manifest_of(folder)
        differing = [name for name, about in known.items() if description(folder / name) != about]
    except Damaged as error:
        return str(error)
    except OSError as error:
        return f"{Path(error.filename).name if error.filename else folder.name} cannot be read ({error.strerror})"
    return f"{differing[0]} differs from {MANIFEST}" if differing else ""


def manifest_of(folder: Path) -> dict[str, Any]:
    """File → its sha256 and size, as the folder was sealed.

    Raises:
        Damaged: if the manifest itself is not as it was written.
        OSError: if it cannot be read.
    """
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        known = json.loads(text)
        if canonical(known) != text:
            raise ValueError
        if not isinstance(known, dict) or not known:  # nothing would be checked
            raise ValueError
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged(f"{MANIFEST} is damaged") from error
    found: dict[str, Any] = known
    return found


def is_sealed(folder: Path) -> bool:
    """Whether the folder has a manifest; folders of older versions have none."""
    return (folder / MANIFEST).exists()


def require_whole(folder: Path) -> None:
    """Refuses a folder with a damaged file, or whose manifest is gone; one that never had a manifest is not checked.

    Raises:
        InputError: naming the folder and the file.
    """
    found = damage(folder) if is_sealed(folder) else lost_manifest(folder)
    if not is_sealed(folder) and not found and (folder / STATE).exists():
        LOG.warning(f"{folder} is of a version that wrote no {MANIFEST}: damage to its files would not show")
    remedy = "Do not use it: copy or download it again, or take an earlier round."
    require(not found, "folder", "be as its MANIFEST.json says", got=found, where=str(folder), remedy=remedy)


def lost_manifest(folder: Path) -> str:
    """What shows that a folder without a manifest once had one; empty if nothing does.

    A run has written ``run.json`` since its folders are sealed. The manifest of a download names those of its folders.
    """
    try:
        known = manifest_of(folder.resolve().parent)
    except OSError:
        known = {}
    named = f"{folder.resolve().name}/{MANIFEST}" in known
    return f"no {MANIFEST}" if named or (folder / RUN).exists() or any(folder.glob(f"*/{RUN}")) else ""


def copy_sealed(source: Path, target: Path, *, leave_out: Collection[str] = ()) -> None:
    """Copies a sealed folder to a new folder, and seals the copy.

    Args:
        source: sealed.
        target: must not exist.
        leave_out: names of sub-folders that are not copied.

    Raises:
        Damaged: if a file of ``source`` is not as its manifest says; the copy is not sealed then.
    """
    left_out, known = {MANIFEST, *leave_out}, manifest_of(source)
    shutil.copytree(source, target, ignore=lambda at, names: left_out & {*names} if Path(at) == source else ())
    wanted = {name: about for name, about in known.items() if name.partition("/")[0] not in left_out}
    if {name: description(target / name) for name in names_in(target)} != wanted:
        raise Damaged(f"{source.name} cannot be copied: {damage(source) or 'the copy differs'}")
    write_manifest(target, wanted)


def description(file: Path) -> dict[str, Any]:
    """The sha256 and the size in bytes of a file."""
    with file.open("rb") as opened:
        return {"sha256": hashlib.file_digest(opened, "sha256").hexdigest(), "size": file.stat().st_size}


def names_in(folder: Path) -> list[str]:
    """The files of a folder and of its sub-folders, except its manifest."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != MANIFEST)


def write_manifest(folder: Path, described: dict[str, Any]) -> None:
    """Waits until all files of the folder are on disk, then writes this manifest."""
    for path in (path for path in folder.rglob("*") if path != folder / MANIFEST):
        flush(path)
    replace_text(folder / MANIFEST, canonical(described))


def canonical(described: Any) -> str:
    """The text of a manifest."""
    return json.dumps(described, indent=1, sort_keys=True) + "\n"
