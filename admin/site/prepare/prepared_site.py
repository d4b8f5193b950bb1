"""Reads a prepared site's journals and quarantine, for checks that run after ``prepare``.

A study's image file is found in three steps. Column ``image`` of the manifest names the file of pixels. The journal
``private/images-S.jsonl`` names the image file of each ``image_row``. ``private/files.jsonl`` holds the file's facts.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from admin.site.prepare.imaged_study import ImageFile
from admin.site.prepare.journal import entries
from admin.site.prepare.pixels import Decoded, Looked
from admin.site.prepare.quarantine import Bad, unquoted
from admin.site.prepare.site_folder import COUNTS
from fedaid.data.header.facts import Header, header_from
from fedaid.data.letters.letters import Letters
from fedaid.data.manifest import FILE_NAME
from fedaid.data.table import read_table
from fedaid.errors import require

_REMEDY = "Run `python -m admin prepare` first."


def image_files(site_root: Path) -> dict[str, ImageFile]:
    """Return the facts of every image file that was ever read, by the hash of its path.

    `reason` is set if the header makes a file unusable. Files that failed later are only in :func:`left_out`.

    Args:
        site_root: a folder that ``python -m admin prepare`` made.

    Raises:
        InputError: if the site was not prepared.
    """
    journal = site_root / "private" / "files.jsonl"
    require(
        journal.is_file(), "--site", "be a prepared site", got="no journal", where="private/files.jsonl", remedy=_REMEDY
    )
    with journal.open("rb") as lines:
        return {image.file: image for image in entries(lines, ImageFile)}


def study_images(site_root: Path) -> dict[str, ImageFile]:
    """Return the image file of every study of the manifest, by `study_id`.

    Raises:
        InputError: if the site was not prepared, or has no manifest.
    """
    files, of_rows = image_files(site_root), dict[str, dict[int, str]]()
    found: dict[str, ImageFile] = {}
    for row in read_table(site_root / FILE_NAME).rows:
        pixels, number = row.cell("image"), row.cell("image_row")
        if pixels not in of_rows:
            of_rows[pixels] = _file_of_row(site_root, pixels)
        file = of_rows[pixels].get(int(number)) if number.isdecimal() else None
        if file in files:
            found[row.cell("study_id")] = files[file]
    return found


def study_headers(site_root: Path) -> dict[str, Header]:
    """Return the header of each study's image, by `study_id`. The header of a PNG or JPEG is empty.

    Raises:
        InputError: as :func:`study_images`.
    """
    return {study: header_from(image.header) for study, image in study_images(site_root).items()}


def study_letters(site_root: Path) -> dict[str, Letters]:
    """Return what was seen of letters in each study's image, by `study_id`, without the studies where nobody looked.

    Raises:
        InputError: as :func:`study_images`.
    """
    images, journal = study_images(site_root), site_root / "private" / "letters.jsonl"
    if not journal.is_file():  # prepared by an earlier version
        return {}
    with journal.open("rb") as lines:
        last = {looked.file: looked for looked in entries(lines, Looked)}
    seen = {study: last[image.file] for study, image in images.items() if image.file in last}
    return {
        study: Letters(looked.found, looked.share, looked.seen)
        for study, looked in seen.items()
        if looked.stamp == images[study].stamp
    }


def left_out(site_root: Path) -> list[Bad]:
    """Return what the last run left out: codes and names of files or table rows. Names must not leave the site.

    Raises:
        InputError: if the site was not prepared.
    """
    path = site_root / "quarantine.csv"
    require(path.is_file(), "--site", "be a prepared site", got="no quarantine", where=path.name, remedy=_REMEDY)
    with path.open(encoding="utf-8", newline="") as file:
        return [Bad(row["code"], unquoted(row["name"])) for row in csv.DictReader(file)]


def _file_of_row(site_root: Path, pixels: str) -> dict[int, str]:
    """Return row of a file of pixels → hash of the image file that was decoded into it."""
    journal = site_root / "private" / Path(pixels).with_suffix(".jsonl").name
    if not journal.is_file():
        return {}
    with journal.open("rb") as lines:
        last = {done.file: done for done in entries(lines, Decoded)}
    return {done.row: done.file for done in last.values() if done.reason is None}


def prepared_counts(site_root: Path) -> dict[str, Any]:
    """Return what the last run counted in the export; empty if there is no valid file of counts."""
    try:
        counts = json.loads((site_root / "private" / COUNTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return counts if isinstance(counts, dict) else {}
