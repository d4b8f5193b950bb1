"""Write a consortium as exports of hospitals: a PACS's folders of DICOM files, and reports beside them."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from admin.twin.consortium import write_hospital
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from admin.twin.writing.mispairing import TRUTH


@dataclass(frozen=True, slots=True)
class ExportedReport:
    """One row of a report table; ``labels`` are CheXpert labels separated by ``|``. An empty ``split`` is left out."""

    accession_number: str
    report: str
    labels: str
    split: str = ""

    def stated(self) -> dict[str, str]:
        """Return column → cell, with the column ``split`` only if the hospital states it."""
        return {name: cell for name, cell in asdict(self).items() if cell or name != "split"}


def export_consortium(
    folder: Path, *, hospitals: Sequence[Hospital] = DEMO_HOSPITALS, seed: int = 0, image_size: int = 128
) -> dict[str, Path]:
    """Write ``<folder>/<hospital.name>/images`` with reports beside it, and return hospital → path of its reports.

    The studies equal those of :func:`admin.twin.consortium.write_consortium` with the same arguments. File names carry
    no information: as in a hospital, only the accession number connects a report with its picture. There is no
    manifest; ``python -m admin prepare`` makes one.

    Args:
        folder: made if absent; files of the same names are overwritten.
        hospitals: the sites to write; each has its report format.
        seed: seed of all random draws.
        image_size: side of the square pictures in pixels.
    """
    return {site.name: _export(folder / site.name, site, seed=seed, image_size=image_size) for site in hospitals}


def _export(folder: Path, hospital: Hospital, *, seed: int, image_size: int) -> Path:
    """Write one hospital's export and return the path of its reports."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".drawn-", dir=folder) as made:
        drawn = Path(made)
        write_hospital(drawn, hospital, seed=seed, image_size=image_size)
        with (drawn / "manifest.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        rng = np.random.default_rng([seed, zlib.crc32(hospital.name.encode()), 2])
        for row, number in zip(rows, rng.permutation(len(rows)).tolist(), strict=True):
            _move(drawn / row["image"], folder / "images" / _meaningless(number))
        if (drawn / TRUTH).exists():
            _move(drawn / TRUTH, folder / TRUTH)
        texts = [(drawn / row["report_path"]).read_text(encoding="utf-8") for row in rows]
    reports = [
        ExportedReport(row["study_id"], text, row["labels"], row["split"] if hospital.states_splits else "")
        for row, text in zip(rows, texts, strict=True)
    ]  # the writer gives a study its identifier as AccessionNumber
    return REPORT_FORMATS[hospital.report_format](folder, reports)


def _meaningless(number: int) -> str:
    """Return an image's path: folders of ten files, no file extension."""
    return f"{number // 100:04d}/{number // 10 % 10:02d}/IM{number:06d}"


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def _as_csv(folder: Path, reports: Sequence[ExportedReport]) -> Path:
    path = folder / "reports.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        rows = [report.stated() for report in reports]
        table.writerow(rows[0])
        table.writerows(row.values() for row in rows)
    return path


def _as_json_lines(folder: Path, reports: Sequence[ExportedReport]) -> Path:
    path = folder / "reports.jsonl"
    path.write_text("".join(json.dumps(report.stated()) + "\n" for report in reports), encoding="utf-8")
    return path


def _as_text_files(folder: Path, reports: Sequence[ExportedReport]) -> Path:
    """Write one text file per study, named by accession number; the format has no labels."""
    path = folder / "reports"
    path.mkdir(exist_ok=True)
    for report in reports:
        (path / f"{report.accession_number}.txt").write_text(report.report, encoding="utf-8")
    return path


REPORT_FORMATS: Mapping[str, Callable[[Path, Sequence[ExportedReport]], Path]] = {
    "csv": _as_csv,
    "jsonl": _as_json_lines,
    "text": _as_text_files,
}
"""Formats of a hospital's report system; the keys are the values of the dial ``report_format``."""
