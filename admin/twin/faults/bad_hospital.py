"""The bad hospital, in which every check of the doctor must fire, and a practice for those that exclude others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydicom import dcmread, dcmwrite

from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.consortium import write_hospital
from admin.twin.export import export_consortium
from admin.twin.faults.planted import spoil
from admin.twin.hospital import Hospital, Scanner

IMAGE_SIZE, COPIES = 192, 2
FREE_BYTES = 1 << 20
"""What its full disk has left: the one fault that no folder can hold, so that the doctor has to be told."""

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
    "lossy-images": "every picture is said to be compressed with loss",
    "pairing-rate": "so many faults that more than a fifth of the studies cannot be used",
    "manifest-refused": "faults of the whole manifest",
    "stray-images": "paths out of the root and misspelt names leave their files without a row",
    "disk-space": "the doctor is told FREE_BYTES",
}
"""Check → what makes it fire in the hospital, where that is no fault of a single study."""

EXCLUDED: Mapping[str, str] = {
    "quarantined": "only a prepared site has a quarantine.csv, and nothing in it is left to be at fault",
    "empty-split": "the hospital has one study to validate on, a fault of its own",
    "few-studies": "it takes more than 50 studies to train on to have every fault in a study of its own",
    "frequent-patients": "it takes more than 20 studies of one patient, which have no other fault",
    "label-in-one-split": "the hospital's test split has every label that is common",
    "label-dominant": "with a label that all studies have, none is without one and none have different ones",
}
"""Check → why it is silent in the hospital. These fire in the practice, whose studies are all of one patient."""


def write_bad_hospital(folder: Path, *, seed: int = 0) -> Mapping[str, tuple[str, ...]]:
    """Write a hospital with every fault twice, and return who has it: fault → study identifiers.

    What is wrong with the hospital as a whole is in :data:`AS_A_WHOLE`.

    Args:
        folder: the hospital's own.
        seed: which patients, and which of them have which fault.
    """
    write_hospital(folder, BAD_HOSPITAL, seed=seed, image_size=IMAGE_SIZE)
    _retag(folder, "LossyImageCompression", "01")
    return spoil(folder, seed=seed, copies=COPIES)


def write_bad_export(folder: Path, *, seed: int = 0) -> Path:
    """Write a practice as its archive hands it over, and return where its reports lie; its images are beside them.

    All its patients go by one default identifier, all have a tube, and one file is no image.
    ``python -m admin prepare`` makes a site's dataset of it, in which the checks of :data:`EXCLUDED` fire.

    Args:
        folder: the practice's folder is made in it.
        seed: which patients.
    """
    reports = export_consortium(folder, hospitals=[BAD_PRACTICE], seed=seed, image_size=IMAGE_SIZE)[BAD_PRACTICE.name]
    _retag(folder / BAD_PRACTICE.name, "PatientID", "ANONYMOUS")
    (folder / BAD_PRACTICE.name / "images" / "notes").write_text("Please find the radiographs in the archive.\n")
    return reports


def _retag(folder: Path, keyword: str, value: str) -> None:
    """Write this tag into every image of a hospital."""
    for path in sorted(path for path in (folder / "images").rglob("*") if path.is_file()):
        film = dcmread(path)
        setattr(film, keyword, value)
        dcmwrite(path, film, enforce_file_format=True)
