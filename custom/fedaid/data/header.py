"""The facts of a DICOM header that may be kept: a closed list, each checked against what it may say.

Named libraries go the other way round. dicognito and deid return a header in which known identifiers are replaced or
removed, so that a private tag, or a name typed into ViewPosition, has to be thought of to be caught. Nothing here has
to be thought of: what is not on the list is not read, and what is not in a fact's vocabulary is nothing.
"""

from __future__ import annotations

import logging
import math
import re
import struct
import warnings
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.uid import AllTransferSyntaxes

from fedaid.data import header_terms
from fedaid.data.unusable import UnusableStudy

OLDEST = 90
"""Ages above 89 are one group, as Safe Harbor asks for (45 CFR 164.514(b)(2)(i)(C))."""

_VIEW = ("Modality", "ViewPosition", "BodyPartExamined", "Laterality", "ImageLaterality", "PatientOrientation")
_PICTURE = ("PhotometricInterpretation", "PresentationIntentType", "BurnedInAnnotation", "LossyImageCompression")
_NUMBERS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
_SPACING = ("PixelSpacing", "ImagerPixelSpacing")
_PRESENCE = ("WindowCenter", "VOILUTSequence", "ModalityLUTSequence")
KEPT = (*_VIEW, *_PICTURE, *_NUMBERS, *_SPACING, *_PRESENCE, "Manufacturer", "PatientSex", "PatientAge")
"""The keywords that are read, and no others."""

_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS_PER = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_BROKEN = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, NotImplementedError, RuntimeError, AssertionError, struct.error, zlib.error, MemoryError),
)


@dataclass(frozen=True)
class Header:
    """What is kept of a DICOM header; None where the file says nothing, or nothing that is permitted.

    `age` is in years, 0 to 90, where 90 stands for all above 89; `pixel_spacing` is (row, column) in mm;
    `orientation` says where rows and columns run to, for example ("L", "F").
    """

    modality: str | None = None
    view_position: str | None = None
    body_part: str | None = None
    laterality: str | None = None
    orientation: tuple[str, str] | None = None
    photometric: str | None = None
    intent: str | None = None
    burned_in: bool | None = None
    lossy: bool | None = None
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None
    samples: int | None = None
    bits_allocated: int | None = None
    bits_stored: int | None = None
    signed: bool | None = None
    pixel_spacing: tuple[float, float] | None = None
    windowed: bool = False
    modality_lut: bool = False
    transfer_syntax: str | None = None
    manufacturer: str | None = None
    sex: str | None = None
    age: int | None = None


def read_header(path: Path) -> Header:
    """Return the facts of a DICOM file that may be kept; pixels are not loaded, other tags are skipped by the parser.

    Raises:
        UnusableStudy: "image-missing", or "image-unreadable" if the file is no DICOM object with pixels or a modality.
    """
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # its warnings quote values
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
    if not path.is_file():
        raise UnusableStudy("image-missing")
    try:
        header = reduced(dcmread(path, force=True, specific_tags=list(KEPT), stop_before_pixels=True))
    except _BROKEN:
        raise UnusableStudy("image-unreadable") from None
    if header.rows is None and header.modality is None:  # without a preamble every file parses as something
        raise UnusableStudy("image-unreadable")
    return header


def reduced(dataset: Dataset) -> Header:
    """Return the facts of a dataset that may be kept, each as a plain value.

    Manufacturer is one of the known makers; the model's name is not kept, because no list of permitted ones exists.
    """
    return Header(
        modality=_term(dataset, "Modality", header_terms.MODALITIES),
        view_position=_term(dataset, "ViewPosition", header_terms.VIEWS),
        body_part=_term(dataset, "BodyPartExamined", header_terms.BODY_PARTS),
        laterality=_term(dataset, "ImageLaterality", "LRUB") or _term(dataset, "Laterality", "LR"),
        orientation=_orientation(dataset),
        photometric=_term(dataset, "PhotometricInterpretation", header_terms.PHOTOMETRIC),
        intent=_term(dataset, "PresentationIntentType", ("FOR PRESENTATION", "FOR PROCESSING")),
        burned_in=_flag(dataset, "BurnedInAnnotation", ("NO", "YES")),
        lossy=_flag(dataset, "LossyImageCompression", ("00", "01")),
        rows=_number(dataset, "Rows", range(1, 1 << 16)),
        columns=_number(dataset, "Columns", range(1, 1 << 16)),
        frames=_number(dataset, "NumberOfFrames", range(1, 1 << 16)),
        samples=_number(dataset, "SamplesPerPixel", range(1, 5)),
        bits_allocated=_number(dataset, "BitsAllocated", (1, 8, 16, 32, 64)),
        bits_stored=_number(dataset, "BitsStored", range(1, 65)),
        signed=None if (kind := _number(dataset, "PixelRepresentation", (0, 1))) is None else bool(kind),
        pixel_spacing=_spacing(dataset, "PixelSpacing") or _spacing(dataset, "ImagerPixelSpacing"),
        windowed=bool(_words(dataset, "WindowCenter")) or _present(dataset, "VOILUTSequence"),
        modality_lut=_present(dataset, "ModalityLUTSequence"),
        transfer_syntax=_transfer_syntax(dataset),
        manufacturer=_maker(dataset),
        sex=_term(dataset, "PatientSex", "MFO"),
        age=_age(dataset),
    )


def _words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of an element as trimmed upper-case text; none where it is absent, empty or broken."""
    try:
        value = dataset.get(keyword)
        values: Iterable[object] = value if isinstance(value, (MultiValue, list, tuple)) else [value]
        return tuple(text for one in values if one is not None and (text := str(one).strip(" \0").upper()))
    except _BROKEN:
        return ()


def _word(dataset: Dataset, keyword: str) -> str:
    """The value of an element that holds exactly one, else nothing."""
    words = _words(dataset, keyword)
    return words[0] if len(words) == 1 else ""


def _term(dataset: Dataset, keyword: str, permitted: Collection[str]) -> str | None:
    """The value of an element if it is one of the permitted terms."""
    word = _word(dataset, keyword)
    return word if word in tuple(permitted) else None


def _flag(dataset: Dataset, keyword: str, terms: tuple[str, str]) -> bool | None:
    """Whether an element holds the second of two terms."""
    word = _term(dataset, keyword, terms)
    return None if word is None else word == terms[1]


def _number(dataset: Dataset, keyword: str, permitted: Collection[int]) -> int | None:
    """The value of an element if it is a permitted whole number."""
    word = _word(dataset, keyword)
    return int(word) if re.fullmatch("[0-9]{1,5}", word) and int(word) in permitted else None


def _spacing(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    """Two distances in mm of a plausible size, rounded so far that nothing else fits into them."""
    try:
        first, second = (round(float(word), 4) for word in _words(dataset, keyword))
    except ValueError:
        return None
    plausible = all(math.isfinite(length) and 0.01 <= length <= 10 for length in (first, second))
    return (first, second) if plausible else None


def _present(dataset: Dataset, keyword: str) -> bool:
    """Whether a sequence is there with an item; what it holds is not looked at."""
    try:
        return bool(dataset.get(keyword))
    except _BROKEN:
        return False


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    """The two directions of PatientOrientation, each of up to three of the letters that the standard has."""
    words = _words(dataset, "PatientOrientation")
    if len(words) != 2 or not all(re.fullmatch("[APRLHF]{1,3}", word) for word in words):
        return None
    return words[0], words[1]


def _transfer_syntax(dataset: Dataset) -> str | None:
    """The transfer syntax if it is a standard one; a private UID may lead to the hospital."""
    meta = dataset.file_meta if isinstance(dataset, FileDataset) else Dataset()
    uid = _word(meta, "TransferSyntaxUID")
    return uid if uid in AllTransferSyntaxes else None


def _maker(dataset: Dataset) -> str | None:
    """The known maker that Manufacturer names, whatever else it says."""
    said = _word(dataset, "Manufacturer")
    return next((maker for maker in header_terms.MAKERS if re.search(rf"\b{maker}\b", said)), None)


def _age(dataset: Dataset) -> int | None:
    """The age in full years, capped; PatientBirthDate is never read."""
    match = _AGE.fullmatch(_word(dataset, "PatientAge"))
    if match is None or (match[2] == "Y" and int(match[1]) > 120):
        return None
    return min(int(int(match[1]) * _YEARS_PER[match[2]]), OLDEST)
