"""A hospital's export made on the spot: nested DICOM files with any names, and reports under accession numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from admin.__main__ import main

WriteImage = Callable[..., Path]
Prepare = Callable[..., int]


def write_image(path: Path, *, seed: int, patient: str, accession: str, study: str, view: str = "PA") -> Path:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", f"1.2.3.{seed}"
    header.PatientID, header.AccessionNumber, header.StudyInstanceUID = patient, accession, study
    header.Modality, header.ViewPosition = "CR", view
    header.PatientName = "CANARY^NAME"
    header.Rows, header.Columns, header.SamplesPerPixel = 24, 20, 1
    header.PhotometricInterpretation, header.PixelRepresentation = "MONOCHROME2", 0
    header.BitsAllocated = header.BitsStored = 8
    header.HighBit = 7
    header.PixelData = np.random.default_rng(seed).integers(0, 256, (24, 20), dtype=np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    header.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Eight studies of seven patients below ``images``, and a text file each below ``reports``."""
    for number in range(8):
        patient, accession = f"CANARY-P{max(number, 1)}", f"CANARY-A{number}"
        path = tmp_path / "images" / f"CANARY-{number % 3}" / f"file {number}"
        write_image(path, seed=number, patient=patient, accession=accession, study=f"1.9.{number}")
        report = tmp_path / "reports" / f"canary-a{number}.txt"
        report.parent.mkdir(exist_ok=True)
        report.write_text(f"HISTORY: cough.\nFINDINGS: Clear lungs.\nIMPRESSION: Study {number}.")
    return tmp_path


@pytest.fixture
def prepare(export: Path) -> Prepare:
    """A function of further arguments that prepares the export into ``site`` and returns the exit code."""

    def run(*arguments: str, reports: str = "reports") -> int:
        folders = [
            "--images",
            str(export / "images"),
            "--reports",
            str(export / reports),
            "--out",
            str(export / "site"),
        ]
        return main(["prepare", *folders, "--image-size", "16", *arguments])

    return run
