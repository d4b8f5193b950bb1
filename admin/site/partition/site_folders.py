"""Writes the data folders of a partition's sites: the manifest and the files that it names."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fedaid.data.site_path import with_slashes
from fedaid.data.table import Row, Table

PATHS = ("image", "report_path")
MANIFEST = "manifest.csv"


def write_site(folder: Path, rows: Sequence[Row], *, table: Table, root: Path) -> None:
    """Write one site's manifest, and put the files of its rows beside it under the same relative paths.

    Files are hard-linked, which takes no space, or copied if the file system differs. A file that is missing, not
    regular or not below ``root`` is left out. Its row stays, so that the site counts the study as unusable.

    Args:
        folder: the site's folder; created here.
        rows: the rows of the site, in order.
        table: the divided manifest.
        root: the folder of the divided manifest.
    """
    folder.mkdir(parents=True)
    for row in rows:
        for column in PATHS:
            _bring(row.cell(column), folder, root=root.resolve())
    with (folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows([row.cells[column] for column in table.columns] for row in rows)


def _bring(relative: str, folder: Path, *, root: Path) -> None:
    """Link or copy one regular file inside the root to the same relative path below the folder."""
    if "\\" in relative and not (root / relative).is_file():
        relative = with_slashes(relative)
    if not relative or Path(relative).is_absolute() or ".." in Path(relative).parts:
        return
    try:
        source = (root / relative).resolve()
        if not (source.is_relative_to(root) and source.is_file()):
            return
    except (OSError, RuntimeError, ValueError):  # a loop of symlinks, a name too long, a zero byte
        return
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
