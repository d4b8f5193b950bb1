"""A DICOM file made on the spot, and the folder of real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.real_data import REAL_DICOM, present

WriteDicom = Callable[..., Path]


def _dataset(pixels: np.ndarray, tags: dict[str, Any]) -> Dataset:
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.3"
    header.PatientName, header.PatientID, header.AccessionNumber = "DOE^JANE", "SECRET-ID", "SECRET-ACC"
    header.Rows, header.Columns = pixels.shape[:2]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    bits = 8 * pixels.dtype.itemsize
    header.BitsAllocated, header.BitsStored, header.HighBit = bits, bits, bits - 1
    header.PixelRepresentation = int(pixels.dtype.kind == "i")
    header.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(header, keyword)
        else:
            setattr(header, keyword, value)
    return header


@pytest.fixture
def write_dicom(tmp_path: Path) -> WriteDicom:
    """A function of pixels and tags (None removes one) that returns the path of a DICOM file."""

    def write(pixels: np.ndarray, *, name: str = "picture", **tags: Any) -> Path:
        path = tmp_path / name
        _dataset(pixels, tags).save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def ramp() -> np.ndarray:
    """(32, 48) uint16 from 0 to 4095, rising along both sides."""
    return np.linspace(0, 4095, 32 * 48).reshape(32, 48).astype(np.uint16)


@pytest.fixture(scope="session")
def real_dicom() -> Path:
    """The folder of the real DICOM files; a test that needs it is skipped where it is absent."""
    return present(REAL_DICOM)
