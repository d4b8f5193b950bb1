"""Reads a manifest in training's format. Patients, splits and labels are not changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admin.site.prepare.presets.layout import given_split, missing, path_below, view_of
from admin.site.prepare.records import PATH_COLUMN, SECTIONS, Record, beside, sectioned
from admin.site.prepare.rows import is_table, read_rows
from fedaid.errors import InputError

NAME = "manifest"


def own_manifest(images: Path, reports: Path) -> Iterator[Record]:
    """Yield one record for each row of a manifest.

    Args:
        images: the folder to which its paths are relative.
        reports: the manifest, or a folder with ``manifest.csv``.

    Raises:
        InputError: if it is not a manifest, or if ``prepare`` wrote it.
    """
    table = reports / "manifest.csv" if reports.is_dir() else reports
    if not is_table(table):
        raise missing("--reports", "manifest.csv", preset=NAME)
    for at, cells in read_rows(table, needs=("study_id", "patient_id", "image")):
        if not {"report", PATH_COLUMN, *SECTIONS} & set(cells):
            raise missing("--reports", "the column report, report_path, findings or impression", preset=NAME)
        if "image_row" in cells:
            remedy = "Training can read it directly. Import the original manifest instead."
            raise InputError(
                "--reports", "not be a prepared site", got="column image_row", where=table.name, remedy=remedy
            )
        yield Record(
            keys=(("study", cells["study_id"]),),
            name=at,
            text=cells.get("report") or sectioned(cells),
            file=beside(table, cells[PATH_COLUMN]) if cells.get(PATH_COLUMN) else None,
            patient=cells["patient_id"],
            labels=cells.get("labels", ""),
            images=((path_below(images, cells["image"]), view_of(cells.get("view", ""))),) if cells["image"] else (),
            splits=given_split(cells.get("split", ""), at),
            sex=cells.get("sex", ""),
            age=cells.get("age", ""),
        )
