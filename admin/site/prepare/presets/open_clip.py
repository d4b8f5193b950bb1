"""The tables that open_clip trains on: a path and a title a row, separated by tabs or commas.

Source: ``--csv-img-key filepath`` and ``--csv-caption-key title`` of github.com/mlfoundations/open_clip, its defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admin.site.prepare.presets.layout import given_split, missing, path_below
from admin.site.prepare.records import PATIENT_COLUMNS, Record, first_of
from admin.site.prepare.rows import is_table, read_rows


def open_clip(images: Path, reports: Path) -> Iterator[Record]:
    """Yield the rows, each a study of its own; one path in two rows pairs with neither.

    Args:
        images: the folder that relative paths begin at.
        reports: a table with ``filepath`` and ``title``, and optionally a patient, ``split`` and ``labels``.

    Raises:
        InputError: if it is no such table.
    """
    if not is_table(reports):
        raise missing("--reports", "a .csv or .tsv with the columns filepath and title", preset="open-clip")
    for at, cells in read_rows(reports, needs=("filepath", "title")):
        path, patient = path_below(images, cells["filepath"]), first_of(cells, PATIENT_COLUMNS)
        yield Record(
            keys=(("study", path),),
            name=at,
            text=cells["title"],
            patient=patient or f"study {path}",
            labels=cells.get("labels", ""),
            images=((path, ""),),
            splits=given_split(cells.get("split", ""), at),
            alone=not patient,
        )
