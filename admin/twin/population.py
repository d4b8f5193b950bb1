"""Write several hospitals as one data folder; each study names its hospital."""

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
    """Write the hospitals below ``folder``, and one ``manifest.csv`` of all hospitals with a column ``site``.

    It serves as a held-out population that belongs to no site, and as data to partition by their natural sites.

    Args:
        folder: made if absent.
        hospitals: the components of the mixture.
        seed: seed of all random draws.
        image_size: side of the square pictures in pixels.
        split: the split of every study, such as "test" for a held-out population; empty keeps the drawn splits.
    """
    write_consortium(folder, hospitals=hospitals, seed=seed, image_size=image_size)
    rows = [pooled(row, hospital.name, split=split) for hospital in hospitals for row in _rows(folder / hospital.name)]
    write_manifest(folder / "manifest.csv", [(*COLUMNS, SITE), *rows])


def pooled(row: dict[str, str], site: str, *, split: str) -> tuple[str, ...]:
    """Return a row of a hospital's manifest for the common manifest, with the site in identifiers and paths."""
    prefix = {"study_id": f"{site}/", "patient_id": f"{site}/", "image": f"{site}/", "report_path": f"{site}/"}
    cells = {column: prefix.get(column, "") + row[column] for column in COLUMNS}
    cells["split"] = split or cells["split"]
    return (*cells.values(), site)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
