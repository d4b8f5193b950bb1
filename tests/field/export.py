"""Writes films and tables of reports for the cases. Every name, number and place is invented."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
SENTENCES = (
    "The lungs are clear and the heart is normal in size.",
    "Small effusion on the left, unchanged.",
    "The heart is enlarged. No oedema.",
    "Opacity in the right lower lobe.",
    "Linear atelectasis at both bases.",
    "The aorta is calcified. No consolidation.",
    "Old fractures of two ribs on the right.",
)


def study_uid(number: int) -> str:
    """The StudyInstanceUID of a film."""
    return f"2.25.7040{number}"


def accession(number: int) -> str:
    """The accession number of a film."""
    return f"AC{number:04d}"


def chest(number: int = 0, *, height: int = 96, width: int = 80, lateral: bool = False) -> NDArray[np.float64]:
    """A drawn chest in [0, 1], bright is dense: two lungs and a heart, or from the side one lung and a spine.

    Args:
        number: varies the drawing.
        height: rows.
        width: columns.
        lateral: draw it from the side.
    """
    random = np.random.default_rng(number)
    shift = random.uniform(-0.03, 0.03, 6)
    y, x = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")

    def spot(across: float, down: float, *, wide: float, high: float) -> NDArray[np.float64]:
        return np.exp(-((((x - across) / wide) ** 2 + ((y - down) / high) ** 2) ** 2))

    body = spot(0.5 + shift[0], 0.6, wide=0.46, high=0.62)
    picture = 0.65 * body
    if lateral:
        picture -= 0.45 * spot(0.47 + shift[1], 0.48 + shift[2], wide=0.27, high=0.34)
        picture += 0.25 * body * np.exp(-(((x - 0.82) / 0.06) ** 2))
    else:
        picture -= 0.47 * spot(0.29 + shift[1], 0.48 + shift[3], wide=0.17, high=0.31)
        picture -= 0.47 * spot(0.72 + shift[2], 0.48 + shift[4], wide=0.16, high=0.31)
        picture += 0.28 * body * np.exp(-(((x - 0.5) / 0.06) ** 2))
        picture += 0.3 * spot(0.58, 0.66 + shift[5], wide=0.14, high=0.13)
    return np.asarray(np.clip(picture + random.normal(0, 0.012, picture.shape), 0, 1))


def film(number: int, pixels: NDArray[np.generic] | None = None, *, bits: int = 12, **tags: object) -> Dataset:
    """A computed radiograph of one study: patient, accession number and study follow from the number.

    Args:
        number: of the film.
        pixels: stored values, (H, W) or (H, W, 3); None stores the drawn chest.
        bits: BitsStored.
        **tags: further elements by keyword; None removes one.
    """
    stored = np.round(chest(number) * (2**bits - 1)).astype("<u2") if pixels is None else pixels
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = COMPUTED_RADIOGRAPHY, f"{study_uid(number)}.1"
    header.StudyInstanceUID, header.SeriesInstanceUID = study_uid(number), f"{study_uid(number)}.2"
    header.PatientID, header.AccessionNumber, header.PatientName = (
        f"PAT{number:03d}",
        accession(number),
        "INVENTED^NAME",
    )
    header.Modality, header.ViewPosition, header.BodyPartExamined = "CR", "PA", "CHEST"
    header.PatientSex, header.PatientAge = "MF"[number % 2], f"{40 + number % 40:03d}Y"
    header.Rows, header.Columns = stored.shape[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 8 * stored.dtype.itemsize, bits, bits - 1
    header.PixelRepresentation = 0
    header.PixelData = stored.tobytes()
    for name, value in tags.items():
        if value is not None:
            setattr(header, name, value)
        elif name in header:
            delattr(header, name)
    return header


def save(header: Dataset, path: Path) -> None:
    """Write a DICOM file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)


def write_films(folder: Path, numbers: Iterable[int]) -> None:
    """Write plain films below ``images``."""
    for number in numbers:
        save(film(number), folder / "images" / f"{number}.dcm")


def report(number: int) -> str:
    """A report that differs from those of its neighbours."""
    return f"FINDINGS: {SENTENCES[number % 7]} Pattern {number}.\nIMPRESSION: {SENTENCES[(number + 3) % 7]}\n"


def write_table(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    """Write a table with the line ends of Excel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        table = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        table.writerow(header)
        table.writerows(rows)


def write_reports(folder: Path, texts: Iterable[tuple[int, str]]) -> None:
    """Write ``reports.csv`` with the accession number and the report of some films."""
    rows = [(accession(number), text) for number, text in texts]
    write_table(folder / "reports.csv", ["accession", "report"], rows)
