"""The identifiers and the facts of an image file's header, from one reading.

The identifiers pair images with reports; they are never stored as they are. The facts are those of ``facts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset

from fedaid.data.header.element_values import BROKEN
from fedaid.data.header.facts import KEPT, Header, reduced
from fedaid.data.header.file_kind import file_kind
from fedaid.data.header.object_kind import object_kind
from fedaid.data.pixels.dicom import silence, without_picture
from fedaid.data.pixels.image import is_dicom
from fedaid.data.unusable import UnusableStudy

LONGEST = 256
"""Characters of a tag that are read; no valid identifier is longer."""

_NAMES = ("PatientID", "AccessionNumber", "StudyInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True)
class StudyTags:
    """The identifiers and facts of one image file.

    Attributes:
        patient: PatientID as in the file; this and the next three are empty if the file has none, as a PNG or JPEG.
        accession: AccessionNumber.
        study: StudyInstanceUID.
        instance: SOPInstanceUID.
        header: the facts; None for a PNG or JPEG.
        kind: of a file that is no radiograph, see ``file_kind.py`` and ``object_kind.py``; otherwise empty.
    """

    patient: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)
    header: Header | None = None
    kind: str = ""

    def names(self) -> dict[str, str]:
        """Field → identifier."""
        return {"patient": self.patient, "accession": self.accession, "study": self.study, "instance": self.instance}


def read_study_tags(path: Path) -> StudyTags:
    """Return the identifiers and facts of an image file; its content decides the format, and pixels are not read.

    An object without a study and without a size is refused: it is an index, or its header is cut short. A search for
    its report would only hide that.

    A file that has a kind is no radiograph.

    Raises:
        UnusableStudy: "image-unreadable", "image-unsupported" or "image-too-large".
    """
    try:
        if not is_dicom(path):
            return StudyTags()
    except UnusableStudy as unusable:
        if unusable.reason == "image-unsupported" and (kind := _kind_of(path)):
            return StudyTags(kind=kind)
        raise
    silence()
    try:
        header = dcmread(path, force=True, stop_before_pixels=True, specific_tags=[*_NAMES, *KEPT, "SOPClassUID"])
        patient, accession, study, instance = (_identifier(header, tag) for tag in _NAMES)
        kind = object_kind(header)
        facts = reduced(header)
        if not (kind or accession or study or facts.rows or "Rows" in facts.ignored):
            raise without_picture(header)
    except MemoryError:
        raise UnusableStudy("image-too-large") from None
    except BROKEN:
        raise UnusableStudy("image-unreadable") from None
    return StudyTags(patient=patient, accession=accession, study=study, instance=instance, header=facts, kind=kind)


def _kind_of(path: Path) -> str:
    """The kind of a file that is neither DICOM nor PNG nor JPEG; empty if it should be an image."""
    try:
        return file_kind(path)
    except OSError:
        return ""


def _identifier(header: Dataset, keyword: str) -> str:
    """An identifier as in the file; empty if the file has none, or a broken one."""
    try:
        return str(header.get(keyword) or "").strip()[:LONGEST]
    except BROKEN:
        return ""
