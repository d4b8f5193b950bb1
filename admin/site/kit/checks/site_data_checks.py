"""Checks of the site's data folder, with the verdict of the doctor of its data."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from admin.federation.kits.startup_kit import SITE
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.doctor.examined_site import examine_site
from admin.site.kit.kit_finding import ExaminedKit, KitCheck, Look, Place, Unchecked
from fedaid.data.manifest import FILE_NAME as MANIFEST
from fedaid.data.site import FILE_NAME, data_root
from fedaid.errors import InputError

RESULT = Path("doctor") / "shareable" / "doctor.json"


def data_folder(examined: ExaminedKit) -> Path:
    """Return the site's data folder.

    Raises:
        Unchecked: it is not set, or has no manifest; other checks say so.
    """
    try:
        folder = data_root(examined.kit.name, examined.kit.local, examined.environ)
    except InputError:
        raise Unchecked("the data folder is not set") from None
    if not (folder / MANIFEST).is_file():
        raise Unchecked(f"the data folder has no {MANIFEST}")
    return folder


def unset_folder(examined: ExaminedKit) -> Iterator[Place]:
    """Find a data folder that is not set, or set wrongly."""
    try:
        data_root(examined.kit.name, examined.kit.local, examined.environ)
    except InputError as error:
        yield examined.place(examined.kit.local / FILE_NAME, error)


def missing_manifest(examined: ExaminedKit) -> Iterator[Place]:
    """Find a data folder that does not exist, cannot be read, or has no manifest."""
    try:
        folder = data_root(examined.kit.name, examined.kit.local, examined.environ)
    except InputError:
        raise Unchecked("the data folder is not set") from None
    if not folder.is_dir():
        yield Place(str(folder), "no such folder")
    elif not (folder / MANIFEST).is_file():
        yield Place(str(folder), f"no {MANIFEST}")


def unprepared(examined: ExaminedKit) -> Iterator[Place]:
    """State that the images are decoded in the first task."""
    folder = data_folder(examined)
    with (folder / MANIFEST).open(encoding="utf-8-sig", errors="replace") as file:
        if "image_row" not in file.readline():
            yield Place(str(folder), f"{MANIFEST} without image_row")


def readable_data(examined: ExaminedKit) -> Iterator[Place]:
    """State that everybody on this machine can enter the data folder."""
    folder = data_folder(examined)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o007:
        yield Place(str(folder), f"mode {mode:04o}")


def verdict(folder: Path) -> list[dict[str, Any]]:
    """Return what the doctor of the data found, from its last run if the manifest is older, or else from a new run."""
    file = folder / RESULT
    if not file.is_file() or file.stat().st_mtime < (folder / MANIFEST).stat().st_mtime:
        try:
            examine_site(folder, folder / "doctor")
        except InputError as error:
            raise Unchecked(str(error)) from None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return [dict(check) for check in content["checks"] if check["fired"]]
    except (ValueError, KeyError, TypeError):
        raise Unchecked(f"{file} is not as the doctor writes it") from None


def fired(severity: str) -> Look:
    """Return a look that finds the data folder if the doctor of the data found something of this severity."""

    def look(examined: ExaminedKit) -> Iterator[Place]:
        folder = data_folder(examined)
        names = [str(check["name"]) for check in verdict(folder) if check["severity"] == severity]
        if names:
            yield Place(str(folder), ", ".join(names))

    return look


SEE = "Read DATA/doctor/private/doctor.html and correct the data: docs/doctor.md."
SITE_DATA_CHECKS = (
    KitCheck(
        "data-folder",
        "The site's data folder is not set, or set wrongly",
        f'Write {{"data_root": "/absolute/folder"}} to local/{FILE_NAME} in the kit.',
        ERROR,
        unset_folder,
        (SITE,),
    ),
    KitCheck(
        "data-missing",
        "The site's data folder has no manifest",
        "Correct the folder, or make its content: python -m admin prepare.",
        ERROR,
        missing_manifest,
        (SITE,),
    ),
    KitCheck(
        "data-readable",
        "Everybody on this machine can enter the data folder",
        "Run chmod o-rwx on the folder, unless the disk is not shared.",
        NOTE,
        readable_data,
        (SITE,),
    ),
    KitCheck("data-errors", "The doctor of the data found errors", SEE, ERROR, fired(ERROR), (SITE,)),
    KitCheck("data-warnings", "The doctor of the data has warnings", SEE, NOTE, fired(WARNING), (SITE,)),
    KitCheck(
        "data-not-prepared",
        "The images are decoded in the first task of each run",
        "Run python -m admin prepare, and give its folder to the kit.",
        NOTE,
        unprepared,
        (SITE,),
    ),
)
