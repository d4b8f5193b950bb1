"""Where one item of the catalogue lies in a hospital's export, and the sound study that it spoils."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SIDE = 32
IMAGE = "image.dcm"
REPORT = "HISTORY: cough.\nFINDINGS: The lungs are clear. Heart size is normal.\nIMPRESSION: No acute disease.\n"


@dataclass(frozen=True)
class Place:
    """A study of its own in an export: one folder of images, one report file, numbers that no other study has.

    Args:
        export: the folder that holds ``images`` and ``reports``.
        name: of the item; the folder of its images.
        number: of the study.
    """

    export: Path
    name: str
    number: int

    @property
    def images(self) -> Path:
        """The folder of this study's images."""
        return self.export / "images" / self.name

    @property
    def accession(self) -> str:
        """The accession number, which is also the stem of the report's file."""
        return f"C{self.number:05}"

    @property
    def report_file(self) -> Path:
        """This study's report."""
        return self.export / "reports" / f"{self.accession}.txt"

    def film(self, **tags: object) -> Dataset:
        """A sound radiograph of this study with these tags changed; None removes one."""
        film = radiograph(self.number)
        film.PatientID, film.AccessionNumber = f"P{self.number:05}", self.accession
        film.StudyInstanceUID, film.SOPInstanceUID = f"1.9.{self.number}", f"1.9.{self.number}.1"
        for keyword, value in tags.items():
            if value is None:
                delattr(film, keyword)
            else:
                setattr(film, keyword, value)
        return film

    def save(self, film: Dataset, name: str = IMAGE) -> Path:
        """Write an object as a file of this study, whatever is wrong with it."""
        self.images.mkdir(parents=True, exist_ok=True)
        film.save_as(self.images / name, enforce_file_format=True)
        return self.images / name

    def put(self, content: bytes, name: str = IMAGE) -> Path:
        """Write these bytes as a file of this study."""
        self.images.mkdir(parents=True, exist_ok=True)
        (self.images / name).write_bytes(content)
        return self.images / name

    def report(self, content: str | bytes = REPORT) -> None:
        """Write this study's report."""
        self.report_file.parent.mkdir(parents=True, exist_ok=True)
        self.report_file.write_bytes(content.encode() if isinstance(content, str) else content)


def radiograph(seed: int) -> Dataset:
    """A computed radiograph of 16 bits with random pixels and no identifier."""
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID, film.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", f"1.9.{seed}.1"
    film.Modality, film.ViewPosition = "CR", "PA"
    film.Rows, film.Columns, film.SamplesPerPixel = SIDE, SIDE, 1
    film.PhotometricInterpretation, film.PixelRepresentation = "MONOCHROME2", 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PixelData = np.random.default_rng(seed).integers(0, 4096, (SIDE, SIDE), dtype=np.uint16).tobytes()
    return film
