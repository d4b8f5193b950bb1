"""Write one exposure as a DICOM file of computed or digital radiography; the header marks it as synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from admin.twin.drawing.scanner import Exposure
from admin.twin.hospital import Scanner

SOP_CLASSES = {"CR": ComputedRadiographyImageStorage, "DX": DigitalXRayImageStorageForPresentation}
STUDY_DATE = "20200101"


@dataclass(frozen=True)
class StudyHeader:
    """The header values of a study; ``entropy`` determines the UIDs."""

    study_id: str
    patient_id: str
    hospital: str
    view: str
    sex: str
    age: int
    entropy: str


def write_radiograph(path: Path, header: StudyHeader, *, exposure: Exposure, scanner: Scanner) -> None:
    """Write a study of one image; the same arguments always give the same bytes."""
    image = Dataset()
    image.file_meta = _file_meta(header, scanner)
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID
    _describe_study(image, header)
    _describe_series(image, header, scanner)
    _describe_pixels(image, exposure)
    if scanner.transfer_syntax == RLELossless:
        image.compress(RLELossless, exposure.pixels, encoding_plugin="pydicom", generate_instance_uid=False)
    else:
        image.PixelData = exposure.pixels.tobytes()
        image["PixelData"].VR = "OB" if exposure.bits <= 8 else "OW"
    dcmwrite(path, image, enforce_file_format=True)


def _uid(header: StudyHeader, level: str) -> UID:
    return generate_uid(entropy_srcs=[header.entropy, header.hospital, header.study_id, level])


def _file_meta(header: StudyHeader, scanner: Scanner) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SOP_CLASSES[scanner.modality]
    meta.MediaStorageSOPInstanceUID = _uid(header, "instance")
    compressed = scanner.transfer_syntax == RLELossless  # set by compress()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if compressed else scanner.transfer_syntax
    return meta


def _describe_study(image: Dataset, header: StudyHeader) -> None:
    """Fill the patient and study modules; the patient's name marks the study as synthetic."""
    image.PatientName = "Synthetic^Twin"
    image.PatientID = header.patient_id
    image.PatientBirthDate = ""
    image.PatientSex = header.sex
    image.PatientAge = f"{header.age:03d}Y"
    image.StudyInstanceUID = _uid(header, "study")
    image.StudyDate, image.StudyTime = STUDY_DATE, "120000"
    image.StudyID = header.study_id
    image.AccessionNumber = header.study_id
    image.ReferringPhysicianName = ""
    image.ImageComments = "Drawn by the digital twin; not a patient."


def _describe_series(image: Dataset, header: StudyHeader, scanner: Scanner) -> None:
    """Fill the series and equipment modules, and for DX the fields that digital radiography requires."""
    image.Modality = scanner.modality
    image.SeriesInstanceUID = _uid(header, "series")
    image.SeriesNumber, image.InstanceNumber = 1, 1
    image.Manufacturer = "Digital twin"
    image.InstitutionName = header.hospital
    image.BodyPartExamined = "CHEST"
    image.ViewPosition = header.view
    image.PatientOrientation = ["A" if header.view == "LL" else "L", "F"]
    image.Laterality = ""
    if scanner.modality == "DX":
        image.PresentationIntentType = "FOR PRESENTATION"
        image.ImageType = ["DERIVED", "PRIMARY"]
        image.ImageLaterality = "U"
        image.DetectorType = ""
        image.PixelIntensityRelationship, image.PixelIntensityRelationshipSign = "LOG", -1
        image.RescaleIntercept, image.RescaleSlope, image.RescaleType = "0", "1", "US"
        image.PresentationLUTShape = "IDENTITY"
        image.BurnedInAnnotation, image.LossyImageCompression = "NO", "00"
        image.AcquisitionContextSequence = []
        image.ImagerPixelSpacing = ["0.15", "0.15"]


def _describe_pixels(image: Dataset, exposure: Exposure) -> None:
    """Fill the image pixel, modality LUT and VOI LUT modules."""
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME1" if exposure.inverted else "MONOCHROME2"
    image.Rows, image.Columns = exposure.pixels.shape
    image.BitsAllocated = exposure.pixels.dtype.itemsize * 8
    image.BitsStored = exposure.bits
    image.HighBit = exposure.bits - 1
    image.PixelRepresentation = 0
    if exposure.inverted and "PresentationLUTShape" in image:
        image.PresentationLUTShape = "INVERSE"
    if exposure.rescale:
        image.RescaleSlope, image.RescaleIntercept = (f"{value:g}" for value in exposure.rescale)
        image.RescaleType = "US"
    if exposure.window:
        image.WindowCenter, image.WindowWidth = (f"{value:g}" for value in exposure.window)
