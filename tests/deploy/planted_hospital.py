"""Writes invented people into the data of a hospital: into headers, reports, names of files and of the folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from pydicom import dcmread

from tests.catalogue.canaries import HEADER, REPORT

IN_HEADER = {name: value for name, value in HEADER.items() if name not in ("ViewPosition", "BodyPartExamined")}
IN_REPORT = {name: value for name, value in REPORT.items() if name != "title"}
IN_MANIFEST: Mapping[str, str] = {"image": "Zqpicture", "report_path": "Zqreportfile", "patient_id": "Zqcellpatient"}
FOLDER = "Zqfolder"
PLANTED: tuple[str, ...] = tuple(
    word
    for canary in (*IN_HEADER.values(), *IN_REPORT.values(), *IN_MANIFEST.values(), FOLDER)
    for word in canary.split("^")
)


def plant(root: Path) -> None:
    """Changes every film, every report and every row of the manifest of a hospital."""
    manifest = root / "manifest.csv"
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        plant_film(root / row["image"])
        report = root / row["report_path"]
        report.write_text(report.read_text(encoding="utf-8") + " " + ", ".join(IN_REPORT.values()), encoding="utf-8")
        for column in ("image", "report_path"):
            path = Path(row[column])
            new = path.with_name(f"{IN_MANIFEST[column]}-{number}{path.suffix}")
            (root / path).rename(root / new)
            row[column] = str(new)
        row["patient_id"] = f"{IN_MANIFEST['patient_id']}-{row['patient_id']}"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def plant_film(file: Path) -> None:
    """Changes the header of a film."""
    film = dcmread(file)
    for keyword, value in IN_HEADER.items():
        setattr(film, keyword, value)
    film.save_as(file)
