"""A bad hospital that fires almost every check of the doctor, and a bad practice that fires the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydicom import dcmread, dcmwrite
from pydicom.uid import generate_uid

from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.consortium import write_hospital
from admin.twin.export import export_consortium
from admin.twin.faults.planted import spoil
from admin.twin.hospital import Hospital, Scanner

IMAGE_SIZE, COPIES = 192, 2
FREE_BYTES = 1 << 20
"""Free bytes of a full disk. A folder cannot contain this fault, so tests pass the value to the doctor."""

BAD_HOSPITAL = Hospital(
    name="bad-hospital",
    studies=190,
    prevalence={kind: share / 2 for kind, share in FIVE_HOSPITALS[1].prevalence.items()},
    scanner=Scanner("DX", 12, gamma=1.1, windowed=True),
    style="prose",  # without headings
    monochrome1=0.3,
    duplicate_normals=0.6,
)
BAD_PRACTICE = replace(
    BAD_HOSPITAL, name="bad-practice", studies=26, prevalence={"tube": 1.0, "effusion": 0.3}, duplicate_normals=0.0
)

AS_A_WHOLE: Mapping[str, str] = {
    "section-coverage": "reports are prose without headings",
    "repeated-texts": "most normal reports are one text",
    "photometric-mix": "both polarities",
    "lossy-images": "every picture is declared as lossy",
    "pairing-rate": "the faults make more than a fifth of the studies unusable",
    "manifest-refused": "faults of the whole manifest",
    "manifest-form": "the manifest has two encodings",
    "stray-images": "files with a path out of the root or a misspelt name have no row",
    "letters-not-looked-for": "the films have too few pixels for letters",
    "disk-space": "the test passes FREE_BYTES to the doctor",
}
"""Check → its cause in the hospital, for checks that fire because of the whole hospital and not of one study."""

EXCLUDED: Mapping[str, str] = {
    "quarantined": "only a prepared site has a quarantine.csv, and prepare would remove the other faults",
    "empty-split": "the hospital has one validation study, which is a separate fault",
    "few-studies": "separate studies for all faults need more than 50 training studies",
    "frequent-patients": "it needs more than 20 studies of one patient without another fault",
    "label-in-one-split": "the hospital's test split has every common label",
    "views-unstated": "only prepare sees several films of one study",
    "view-conflict": "only prepare counts the films whose header contradicts itself",
    "packed-archives": "only prepare sees what lies beside the films",
    "other-objects": "only prepare sees what lies beside the films",
    "label-dominant": "with it no study lacks a label, and no report can be swapped with one of other labels",
}
"""Check → why it is silent in the hospital. These checks fire in the practice, where all studies are of one patient."""


def write_bad_hospital(folder: Path, *, seed: int = 0) -> Mapping[str, tuple[str, ...]]:
    """Write a hospital with every fault twice, and return fault → identifiers of its studies.

    :data:`AS_A_WHOLE` lists the faults of the whole hospital.

    Args:
        folder: the hospital's folder.
        seed: seed of the patients and of the choice of studies for each fault.
    """
    write_hospital(folder, BAD_HOSPITAL, seed=seed, image_size=IMAGE_SIZE)
    _retag(folder, "LossyImageCompression", "01")
    return spoil(folder, seed=seed, copies=COPIES)


def write_bad_export(folder: Path, *, seed: int = 0) -> Path:
    """Write a practice's export and return the path of its reports; its images are beside them.

    All patients share one default identifier, all have a tube, and one file is not an image. Views, a CT image
    and an archive are planted, too. The checks of
    :data:`EXCLUDED` fire in the site dataset that ``python -m admin prepare`` makes from it.

    Args:
        folder: parent of the practice's folder.
        seed: seed of the patients.
    """
    reports = export_consortium(folder, hospitals=[BAD_PRACTICE], seed=seed, image_size=IMAGE_SIZE)[BAD_PRACTICE.name]
    _retag(folder / BAD_PRACTICE.name, "PatientID", "ANONYMOUS")
    images = folder / BAD_PRACTICE.name / "images"
    _confuse_views(images)
    (images / "notes.dcm").write_text("Please find the radiographs in the archive.\n")
    (images / "archive.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    return reports


def _confuse_views(images: Path) -> None:
    """Give the first study two films of unstated view and a CT image; contradict the view of the second study."""
    first, second = sorted(path for path in images.rglob("*") if path.is_file())[:2]
    film = dcmread(first)
    film.ViewPosition, film.PatientOrientation = "", ""
    for number, modality in enumerate((film.Modality, film.Modality, "CT")):
        film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
        film.Modality = modality
        path = first.with_name(f"{first.stem}-{number}.dcm") if number else first
        dcmwrite(path, film, enforce_file_format=True)
    film = dcmread(second)
    film.ViewPosition, film.PatientOrientation = "PA", ["A", "F"]
    dcmwrite(second, film, enforce_file_format=True)


def _retag(folder: Path, keyword: str, value: str) -> None:
    """Set this tag in every image of a hospital."""
    for path in sorted(path for path in (folder / "images").rglob("*") if path.is_file()):
        film = dcmread(path)
        setattr(film, keyword, value)
        dcmwrite(path, film, enforce_file_format=True)
