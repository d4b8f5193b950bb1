"""Synthetic exports of a PACS, as large as real ones: a few distinct films, each study with identifiers of its own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

FULL_SIZE = ((1500, 1500), (2000, 1700), (1800, 1800), (2000, 2000))
SMALL = ((128, 128), (128, 112))
REPORT = "FINDINGS: The lungs are clear, the heart is of normal size in study {}.\nIMPRESSION: No acute finding.\n"
_FIRST = 10_000_000
_STUDY, _OBJECT, _ACCESSION, _PATIENT = (f"{kind}{_FIRST}" for kind in ("1.2.826.0.1.", "1.2.826.0.2.", "ACC", "PAT"))


def film(size: tuple[int, int], seed: int) -> NDArray[np.uint16]:
    """Return 12-bit levels (H, W): broad shades with the grain of a detector."""
    draw = np.random.default_rng(seed)
    shades = Image.fromarray(draw.random((12, 12), dtype=np.float32)).resize(size[::-1], Image.Resampling.BICUBIC)
    return np.clip(3000 * np.asarray(shades) + 500 + draw.normal(0, 40, size), 0, 4095).astype(np.uint16)


def dicom(levels: NDArray[np.uint16], seed: int) -> bytes:
    """Return a file whose identifiers are place holders; polarity and window differ from seed to seed."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID, header.Modality = "1.2.840.10008.5.1.4.1.1.1.1", _OBJECT, "DX"
    header.StudyInstanceUID, header.AccessionNumber, header.PatientID = _STUDY, _ACCESSION, _PATIENT
    header.ViewPosition, header.BodyPartExamined = ("PA", "AP")[seed % 2], "CHEST"
    header.PhotometricInterpretation = ("MONOCHROME1", "MONOCHROME2")[seed % 2]
    header.Rows, header.Columns = levels.shape
    header.SamplesPerPixel, header.BitsAllocated, header.BitsStored, header.HighBit = 1, 16, 12, 11
    header.PixelRepresentation, header.RescaleSlope, header.RescaleIntercept = 0, 1, 0
    if seed % 4 < 2:
        header.WindowCenter, header.WindowWidth = 2000, 3000
    header.PixelData = levels.tobytes()
    file = BytesIO()
    header.save_as(file, enforce_file_format=True)
    return file.getvalue()


def compressed(file: bytes, folder: Path) -> bytes:
    """Return a file in JPEG Lossless (process 14, first-order prediction), which most PACS send."""
    source, target = folder / ".plain", folder / ".compressed"
    source.write_bytes(file)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    read = reader.Read()
    change.SetInput(reader.GetImage())
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(target))
    if not (read and change.Change()):
        raise RuntimeError("GDCM could not compress a film")
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise RuntimeError("GDCM could not write a film")
    data = target.read_bytes()
    source.unlink()
    target.unlink()
    return data


def write_site(folder: Path, studies: int, *, sizes: Sequence[tuple[int, int]], squeeze: bool = False) -> None:
    """Write ``images``, ``reports`` (named by accession number) and ``manifest.csv`` of so many studies."""
    (folder / "images").mkdir(parents=True)
    (folder / "reports").mkdir()
    films = [dicom(film(size, seed), seed) for seed, size in enumerate(sizes)]
    if squeeze:
        films = [compressed(file, folder) for file in films]
    with (folder / "manifest.csv").open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(("study_id", "patient_id", "image", "report_path", "split"))
        for number in range(studies):
            data, eight = films[number % len(films)], str(_FIRST + number)
            for mark in (_STUDY, _OBJECT, _ACCESSION, _PATIENT):
                data = data.replace(mark.encode(), (mark[:-8] + eight).encode())
            image, report = f"images/{eight}.dcm", f"reports/ACC{eight}.txt"
            (folder / image).write_bytes(data)
            (folder / report).write_text(REPORT.format(number))
            table.writerow((eight, eight, image, report, "train"))
