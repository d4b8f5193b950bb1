"""Several hospitals as one data folder, each study marked with the hospital it came from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from admin.twin.consortium import COLUMNS, write_consortium, write_manifest
from admin.twin.hospital import Hospital

SITE = "site"


def write_population(
    folder: Path, *, hospitals: Sequence[Hospital], seed: int = 0, image_size: int = 128, split: str = ""
) -> None:
    """Write the hospitals below ``folder`` and, beside them, one ``manifest.csv`` over all, with a column ``site``.

    It exists as a population to evaluate on that is no site's own, and as data to partition by their natural sites.

    Args:
        folder: made if absent.
        hospitals: the components of the mixture.
        seed: the source of everything random.
        image_size: side of the square pictures in pixels.
        split: the split of every study, such as "test" for what nobody trains on; as drawn where it is empty.
    """
    write_consortium(folder, hospitals=hospitals, seed=seed, image_size=image_size)
    rows = [pooled(row, hospital.name, split=split) for hospital in hospitals for row in _rows(folder / hospital.name)]
    write_manifest(folder / "manifest.csv", [(*COLUMNS, SITE), *rows])


def pooled(row: dict[str, str], site: str, *, split: str) -> tuple[str, ...]:
    """A row of a hospital's manifest as it stands among others': identifiers and paths tell the hospitals apart."""
    prefix = {"study_id": f"{site}/", "patient_id": f"{site}/", "image": f"{site}/", "report_path": f"{site}/"}
    cells = {column: prefix.get(column, "") + row[column] for column in COLUMNS}
    cells["split"] = split or cells["split"]
    return (*cells.values(), site)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
