"""Reads open_clip's tables: each row has a path and a title, separated by a tab or a comma.

Source: ``--csv-img-key filepath`` and ``--csv-caption-key title`` of github.com/mlfoundations/open_clip (defaults).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admin.site.prepare.presets.layout import given_split, missing, path_below
from admin.site.prepare.records import PATIENT_COLUMNS, Record, first_of
from admin.site.prepare.rows import is_table, read_rows


def open_clip(images: Path, reports: Path) -> Iterator[Record]:
    """Yield one record for each row. A row is a study. A path in two rows is not paired.

    Args:
        images: the folder to which paths are relative.
        reports: a table with ``filepath`` and ``title``, and optionally a patient, ``split`` and ``labels``.

    Raises:
        InputError: if it is not such a table.
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
