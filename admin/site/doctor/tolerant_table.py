"""Reads a manifest as far as possible, even if training would refuse it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from fedaid.data.manifest import REPORT_SOURCES
from fedaid.data.site_path import with_slashes
from fedaid.data.table import Row, Table, columns_of, read_table, unusual
from fedaid.data.tables.sheet import BrokenRow, open_sheet
from fedaid.errors import InputError


def tolerant_table(path: Path) -> tuple[Table, str | None]:
    """Return the table and, if it is invalid, the reason.

    In an invalid file, letters of another encoding may be wrong, missing cells are empty, and extra cells are left out.

    Args:
        path: an existing file.
    """
    try:
        return read_table(path), None
    except InputError as refused:
        return _made_out(path), str(refused)


def _made_out(path: Path) -> Table:
    """Return the table of an invalid file; without columns if nothing can be read."""
    try:
        sheet = open_sheet(path)
        numbered = list(sheet.rows(strict=False))
    except (InputError, BrokenRow):
        numbered = []
    if not numbered:
        return Table(path.name, (), ())
    columns = columns_of(numbered)
    rows = tuple(
        Row(line, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))) for line, cells in numbered[1:]
    )
    return Table(path.name, columns, rows, unusual(sheet))


REPORT_ENDINGS = (".txt", ".text", ".rpt")
IMAGE_ENDINGS = (".dcm", ".dicom", ".png", ".jpg", ".jpeg")


def report_sources(columns: Collection[str]) -> tuple[str, ...]:
    """Return the report columns: the first source of :data:`REPORT_SOURCES` that exists, or an empty tuple."""
    present = (tuple(name for name in source if name in columns) for source in REPORT_SOURCES)
    return next((found for found in present if found), ())


def strays(root: Path, named: Collection[str], *, reports: bool) -> tuple[str, ...]:
    """Return the files in the folders of named files that no row names.

    Args:
        root: resolved.
        named: paths below the root as the manifest has them.
        reports: whether text files are looked for, or all others.
    """
    known = {os.path.normpath(one) for path in named if path for one in (path, with_slashes(path))}
    alike = {path.casefold() for path in known}
    folders = {os.path.dirname(path) for path in known}  # noqa: PTH120 - texts, which may be no paths at all
    found = []
    for folder in sorted(folders):
        for name in _listed(root, folder):
            path = os.path.normpath(Path(folder, name))
            if (
                path not in known
                and path.casefold() not in alike
                and _is_kind(name, reports=reports, at_root=not folder)
            ):
                found.append(path)
    return tuple(found)


def _listed(root: Path, folder: str) -> list[str]:
    """Return the file names in a folder below the root; empty if it is not such a folder."""
    try:
        path = (root / folder).resolve()
        if not path.is_relative_to(root):
            return []
        return sorted(entry.name for entry in os.scandir(path) if not entry.is_dir())
    except (OSError, RuntimeError, ValueError):
        return []


def _is_kind(name: str, *, reports: bool, at_root: bool) -> bool:
    """Whether a file is a report or an image by its name; beside the manifest only if its ending says so."""
    ending = Path(name).suffix.lower()
    if name.startswith(".") or ending == ".csv":
        return False
    if reports:
        return ending in REPORT_ENDINGS
    return ending in IMAGE_ENDINGS if at_root else ending not in REPORT_ENDINGS
