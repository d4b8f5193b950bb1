from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from admin.twin.dicom_radiograph import SOP_CLASSES, StudyHeader, write_radiograph
from admin.twin.drawing.scanner import expose
from admin.twin.hospital import Scanner
from fedaid.data.pixels.dicom import read_dicom

HEADER = StudyHeader("TWIN-S00001", "TWIN-P00001", "oak-hill-general", "PA", "F", 61, "twin 0")
_ROW = np.linspace(0.0, 1.0, 64, dtype=np.float32)
RAMP = np.stack([np.roll(_ROW, number) for number in range(64)])  # no edge has one grey, as a border has
PLAIN = Scanner(exposure=0.0, noise=0.0)
SCANNERS = [
    replace(PLAIN, modality=modality, bits=bits, transfer_syntax=syntax, windowed=windowed)
    for modality, windowed in (("CR", False), ("CR", True), ("DX", False))
    for bits in (8, 10, 12)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless)
]


def written(folder: Path, scanner: Scanner, *, inverted: bool = False) -> Path:
    exposure = expose(RAMP, scanner, rng=np.random.default_rng(0), inverted=inverted)
    write_radiograph(folder / "a.dcm", HEADER, exposure=exposure, scanner=scanner)
    return folder / "a.dcm"


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("scanner", SCANNERS, ids=str)
def test_the_data_room_reads_back_what_was_drawn(scanner: Scanner, inverted: bool, tmp_path: Path) -> None:
    image = read_dicom(written(tmp_path, scanner, inverted=inverted))
    assert np.abs(image - RAMP).max() < 0.01


def test_the_file_meta_names_syntax_class_and_instance(tmp_path: Path) -> None:
    for scanner in SCANNERS:
        image = dcmread(written(tmp_path, scanner))
        assert image.file_meta.TransferSyntaxUID == scanner.transfer_syntax
        assert image.file_meta.MediaStorageSOPClassUID == image.SOPClassUID == SOP_CLASSES[scanner.modality]
        assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID


def test_a_digital_radiograph_has_the_rescale_that_the_standard_demands(tmp_path: Path) -> None:
    image = dcmread(written(tmp_path, replace(PLAIN, modality="DX"), inverted=True))
    assert (image.RescaleIntercept, image.RescaleSlope, image.RescaleType) == (0, 1, "US")
    assert (image.PresentationLUTShape, image.PhotometricInterpretation) == ("INVERSE", "MONOCHROME1")


def test_nobody_can_take_the_file_for_a_patients(tmp_path: Path) -> None:
    image = dcmread(written(tmp_path, PLAIN))
    assert str(image.PatientName) == "Synthetic^Twin"
    assert image.PatientID.startswith("TWIN-")
    assert "not a patient" in image.ImageComments


def test_uids_follow_from_the_header(tmp_path: Path) -> None:
    first = dcmread(written(tmp_path, PLAIN))
    again = dcmread(written(tmp_path, PLAIN))
    assert first.StudyInstanceUID == again.StudyInstanceUID
    assert len({first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID}) == 3
