"""What names a picture's study, patient and view: read to pair pictures with reports, and never kept as it is read."""

from __future__ import annotations

import struct
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError

from fedaid.data.dicom import silence, without_picture
from fedaid.data.image import is_dicom
from fedaid.data.unusable import UnusableStudy

LONGEST = 256
"""Characters of a tag that are looked at; no legal identifier is longer."""

_TAGS = ("PatientID", "AccessionNumber", "StudyInstanceUID", "ViewPosition")
_PICTURE = ("SOPClassUID", "Rows")
_BROKEN = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, NotImplementedError, RuntimeError, AssertionError, struct.error, zlib.error),
)


@dataclass(frozen=True)
class StudyTags:
    """The identifiers of one image file, as the file has them; empty where it has none, as a PNG or JPEG does."""

    patient: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    view: str = field(default="", repr=False)

    def as_dict(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


def read_study_tags(path: Path) -> StudyTags:
    """Return the identifiers of an image file, told apart by content; pixels are not read.

    An object that names no study and has no size is refused here: it is an index, or ends within its header, and to
    look for its report would only hide that.

    Raises:
        UnusableStudy: "image-unreadable", "image-unsupported" or "image-too-large".
    """
    if not is_dicom(path):
        return StudyTags()
    silence()
    try:
        header = dcmread(path, force=True, stop_before_pixels=True, specific_tags=[*_TAGS, *_PICTURE])
        patient, accession, study, view = (str(header.get(tag) or "").strip()[:LONGEST] for tag in _TAGS)
        if not (accession or study or header.get("Rows")):
            raise without_picture(header)
    except MemoryError:
        raise UnusableStudy("image-too-large") from None
    except _BROKEN:
        raise UnusableStudy("image-unreadable") from None
    return StudyTags(patient=patient, accession=accession, study=study, view=view.upper())
