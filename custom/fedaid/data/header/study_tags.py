"""What one reading of a file's header gives: names of study and patient, which are never kept as they are, and facts.

The names pair pictures with reports; the facts are those of the closed list in ``header.py``.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError

from fedaid.data.header.facts import KEPT, Header, reduced
from fedaid.data.pixels.dicom import silence, without_picture
from fedaid.data.pixels.image import is_dicom
from fedaid.data.unusable import UnusableStudy

LONGEST = 256
"""Characters of a tag that are looked at; no legal identifier is longer."""

_NAMES = ("PatientID", "AccessionNumber", "StudyInstanceUID", "SOPInstanceUID")
_BROKEN = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, NotImplementedError, RuntimeError, AssertionError, struct.error, zlib.error),
)


@dataclass(frozen=True)
class StudyTags:
    """What one image file says of itself.

    Attributes:
        patient: identifier, as the file has it; empty where it has none, as a PNG or JPEG does. So for the next three.
        accession: number.
        study: StudyInstanceUID.
        instance: SOPInstanceUID.
        header: the facts that may be kept; None for a PNG or JPEG.
    """

    patient: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)
    header: Header | None = None

    def names(self) -> dict[str, str]:
        """The identifiers by field."""
        return {"patient": self.patient, "accession": self.accession, "study": self.study, "instance": self.instance}


def read_study_tags(path: Path) -> StudyTags:
    """Return what an image file says of itself, told apart by content and read once; pixels are not read.

    An object that names no study and has no size is refused here: it is an index, or ends within its header, and to
    look for its report would only hide that.

    Raises:
        UnusableStudy: "image-unreadable", "image-unsupported" or "image-too-large".
    """
    if not is_dicom(path):
        return StudyTags()
    silence()
    try:
        header = dcmread(path, force=True, stop_before_pixels=True, specific_tags=[*_NAMES, *KEPT, "SOPClassUID"])
        patient, accession, study, instance = (str(header.get(tag) or "").strip()[:LONGEST] for tag in _NAMES)
        if not (accession or study or header.get("Rows")):
            raise without_picture(header)
        facts = reduced(header)
    except MemoryError:
        raise UnusableStudy("image-too-large") from None
    except _BROKEN:
        raise UnusableStudy("image-unreadable") from None
    return StudyTags(patient=patient, accession=accession, study=study, instance=instance, header=facts)
