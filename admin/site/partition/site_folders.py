"""The data folders of a partition's sites: a manifest each, and the files that it names."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fedaid.data.table import Row, Table

PATHS = ("image", "report_path")
MANIFEST = "manifest.csv"


def write_site(folder: Path, rows: Sequence[Row], *, table: Table, root: Path) -> None:
    """Write one site's manifest, and put the files of its rows below it under the same paths.

    A data root must hold its files, so that they are linked there (hard links, which take no space) or, on another
    file system, copied. A file that is not there, not regular, or not below ``root`` is left out; its row stays, and
    reading the site counts it as reading the whole would.

    Args:
        folder: the site's, made here.
        rows: of the site, in order.
        table: the manifest they come from.
        root: its folder.
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
    """Link or copy one file, if it is a regular file inside the root, to the same path below the folder."""
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
