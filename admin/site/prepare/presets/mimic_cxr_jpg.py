"""Reads MIMIC-CXR-JPG in PhysioNet's layout: three tables beside ``files/``, and the reports of MIMIC-CXR.

Source: Johnson et al., MIMIC-CXR-JPG 2.1.0, https://doi.org/10.13026/jsn5-t979; the sectioned reports are those of
``create_section_files.py`` in github.com/MIT-LCP/mimic-cxr.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from admin.site.prepare.presets.layout import chexpert_labels, given_split, missing, table_in, view_of
from admin.site.prepare.records import Record, sectioned
from admin.site.prepare.rows import Cells, is_table, read_rows
from fedaid.errors import require

NAME = "mimic-cxr-jpg"
Report = Callable[[str, str], tuple[str | None, str | None]]


def mimic_cxr_jpg(images: Path, reports: Path) -> Iterator[Record]:
    """Yield the studies. Patients, splits and views are from the tables; labels are CheXpert's findings.

    Args:
        images: the folder with ``mimic-cxr-2.0.0-{metadata,split,chexpert}.csv`` or ``.csv.gz`` and ``files/``.
        reports: the folder with ``files/p10/p10000032/s50414267.txt``, or ``mimic_cxr_sectioned.csv``.

    Raises:
        InputError: if one of them is missing or has another layout.
    """
    rows = {kind: _table(images, kind) for kind in ("metadata", "split", "chexpert")}
    labels = {cells["study_id"]: chexpert_labels(cells) for _, cells in read_rows(rows["chexpert"], needs=["study_id"])}
    needs = ("dicom_id", "split")
    splits = {cells["dicom_id"]: given_split(cells["split"], at) for at, cells in read_rows(rows["split"], needs=needs)}
    report = _reports(reports)
    studies: dict[str, list[tuple[str, Cells]]] = {}
    for at, cells in read_rows(rows["metadata"], needs=("dicom_id", "subject_id", "study_id", "viewposition")):
        _require_plain(cells, at)
        studies.setdefault(cells["study_id"], []).append((at, cells))
    for study, of_study in studies.items():
        (at, first), subject = of_study[0], of_study[0][1]["subject_id"]
        text, file = report(subject, study)
        yield Record(
            keys=(("study", study),),
            name=at,
            text=text,
            file=file,
            patient=first["subject_id"],
            labels=labels.get(study, ""),
            images=tuple((_path(cells), view_of(cells["viewposition"])) for _, cells in of_study),
            splits=tuple(sorted({split for _, cells in of_study for split in splits.get(cells["dicom_id"], ())})),
        )


def _table(images: Path, kind: str) -> Path:
    names = (f"mimic-cxr-2.0.0-{kind}.csv", f"mimic-cxr-2.0.0-{kind}.csv.gz")
    return table_in(images, names, preset=NAME, of="--images")


def _path(cells: Cells) -> str:
    folder = _folder(cells["subject_id"], cells["study_id"])
    return f"files/{folder}/{cells['dicom_id']}.jpg"


def _folder(subject: str, study: str) -> str:
    return f"p{subject[:2]}/p{subject}/s{study}"


def _require_plain(cells: Cells, at: str) -> None:
    """Raise for an identifier that MIMIC cannot have, because paths are built from identifiers."""
    numbers = (cells["subject_id"] + cells["study_id"]).isdecimal()
    sound = numbers and cells["dicom_id"].replace("-", "").isalnum() and bool(cells["study_id"])
    rule = "be numbers, and a dicom_id letters and digits"
    remedy = "Download the table again."
    require(sound, "subject_id and study_id", rule, got="something else", where=at, remedy=remedy)


def _reports(reports: Path) -> Report:
    """Return a function from subject and study to the report: its text or its file."""
    if is_table(reports):
        sections = {
            cells["study"].lstrip("s"): sectioned(cells) or cells["last_paragraph"]
            for _, cells in read_rows(reports, needs=("study", "findings", "impression", "last_paragraph"))
        }
        return lambda subject, study: (sections.get(study, ""), None)
    root = reports / "files" if (reports / "files").is_dir() else reports
    if not any(path.is_dir() for path in root.glob("p1[0-9]")):
        raise missing("--reports", "files/p10 to p19 with the reports, or be mimic_cxr_sectioned.csv", preset=NAME)
    return lambda subject, study: (None, str(root / f"{_folder(subject, study)}.txt"))
