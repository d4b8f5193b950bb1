"""The facts of a DICOM header that may be stored: a closed list, each checked against its permitted values.

The libraries dicognito and deid work the other way round. They return a header in which known identifiers are replaced
or removed, so they miss an identifier that nobody expected, such as a name typed into ViewPosition or a private tag.
Here a tag that is not on the list is not read, and a value that is not permitted is dropped.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset

from fedaid.data.header.element_values import BROKEN, numbers, words
from fedaid.data.header.pixel_tags import PIXEL_TAGS, is_distance, pixel_tags
from fedaid.data.header.terms import MAKERS, OLDEST, PERMITTED, VIEWS
from fedaid.data.header.views import CODES, DESCRIPTIONS, EXAMINATIONS, SOURCES, film_views, stated_views
from fedaid.data.unusable import UnusableStudy

KEPT = (
    *(*CODES, *DESCRIPTIONS, *EXAMINATIONS),
    *("Modality", "ViewPosition", "Laterality", "ImageLaterality", "PatientOrientation"),
    *("PresentationIntentType", "BurnedInAnnotation", "LossyImageCompression", *PIXEL_TAGS),
    *("Manufacturer", "PatientSex", "PatientAge"),
)
"""The keywords that are read, and no others. Descriptions are matched to words of views and never kept."""

_AGE = re.compile(r"(\d{3})([DWMY])")
_DIRECTION = re.compile("[APRLHF]{1,3}")
_YEARS_PER = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_BROKEN = (*BROKEN, MemoryError)
_SIGNS: Mapping[tuple[float | None, ...], bool] = {(0.0,): False, (1.0,): True}
_TRUTHS = ("windowed", "modality_lut", "not_square", "contradicts_polarity")


@dataclass(frozen=True, slots=True)
class Header:
    """The facts of a DICOM header; None if the file does not state a fact or states a value that is not permitted.

    `age` is in years from 0 to 90, where 90 means above 89. `pixel_spacing` is (row, column) in mm. `orientation` is
    the direction of rows and columns, for example ("L", "F"). `not_square` is about a pixel.
    `contradicts_polarity` means that PresentationLUTShape does not fit to PhotometricInterpretation. `ignored` has the
    keywords of the tags that cannot be used, in alphabetical order. `views` is the view by each of
    :data:`fedaid.data.header.views.SOURCES`, or ().
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
    not_square: bool = False
    contradicts_polarity: bool = False
    ignored: tuple[str, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def view(self) -> str:
        """The view by all sources, of a study of one film; empty if it is not stated or in conflict."""
        return film_views([self.views])[0].view if self.views else self.view_position or ""


def read_header(path: Path) -> Header:
    """Return the facts of a DICOM file. The parser skips other tags, and pixels are not loaded.

    Raises:
        UnusableStudy: "image-missing", or "image-unreadable" if the file has neither a size nor a modality.
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
    """Return the facts of a dataset as plain values.

    The manufacturer is one of a list. The name of the device's model is dropped, because there is no list of them.
    """
    tags = pixel_tags(dataset)
    return Header(
        modality=_term(dataset, "Modality", "modality"),
        view_position=_term(dataset, "ViewPosition", "view_position"),
        body_part=_term(dataset, "BodyPartExamined", "body_part"),
        laterality=_term(dataset, "ImageLaterality", "laterality") or _term(dataset, "Laterality", "laterality"),
        orientation=_orientation(dataset),
        photometric=_term(dataset, "PhotometricInterpretation", "photometric"),
        intent=_term(dataset, "PresentationIntentType", "intent"),
        burned_in=_flag(dataset, "BurnedInAnnotation", ("NO", "YES")),
        lossy=_flag(dataset, "LossyImageCompression", ("00", "01")),
        rows=_number(dataset, "Rows", "rows"),
        columns=_number(dataset, "Columns", "columns"),
        frames=_number(dataset, "NumberOfFrames", "frames"),
        samples=_number(dataset, "SamplesPerPixel", "samples"),
        bits_allocated=_number(dataset, "BitsAllocated", "bits_allocated"),
        bits_stored=_number(dataset, "BitsStored", "bits_stored"),
        signed=_SIGNS.get(numbers(dataset, "PixelRepresentation")),
        pixel_spacing=_spacing(dataset, "PixelSpacing") or _spacing(dataset, "ImagerPixelSpacing"),
        windowed=tags.window is not None or tags.voi_lut is not None,
        modality_lut=tags.modality_lut is not None,
        not_square=tags.pixel_height != 1,
        contradicts_polarity=tags.contradicts_polarity,
        ignored=tuple(sorted(tags.ignored)),
        transfer_syntax=_transfer_syntax(dataset),
        manufacturer=_maker(dataset),
        sex=_term(dataset, "PatientSex", "sex"),
        age=_age(dataset),
        views=stated_views(dataset),
    )


def header_from(kept: Mapping[str, object]) -> Header:
    """Return the header from its fields as JSON; a missing field means that the file did not state it.

    The sender is not trusted: every value must be one that :func:`reduced` can return.

    Raises:
        ValueError: for another field, type or value; the message does not quote it.
    """
    named = {field.name for field in fields(Header)}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    if not named.issuperset(values) or not all(_sound(name, value) for name, value in values.items()):
        raise ValueError("a header with a field, type or value that no header has")
    return Header(**values)  # type: ignore[arg-type]


def _sound(name: str, value: object) -> bool:
    """Whether a field of a header can have this value."""
    if name in _TRUTHS:
        return type(value) is bool
    if name == "ignored":
        return isinstance(value, tuple) and all(keyword in PIXEL_TAGS for keyword in value)
    if name == "views":
        known = isinstance(value, tuple) and all(type(view) is str and view in ("", *VIEWS) for view in value)
        return known and len(value) in (0, len(SOURCES))  # type: ignore[arg-type]
    if value is None or name in ("burned_in", "lossy", "signed"):
        return value is None or type(value) is bool
    if name in PERMITTED:
        return type(value) in (str, int) and value in PERMITTED[name]
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    if name == "orientation":
        return all(isinstance(word, str) and _DIRECTION.fullmatch(word) for word in value)
    return all(type(length) is float and is_distance(length) and round(length, 4) == length for length in value)


def _word(dataset: Dataset, keyword: str) -> str:
    """The value of an element with exactly one value, else an empty text."""
    found = words(dataset, keyword)
    return found[0] if len(found) == 1 else ""


def _term(dataset: Dataset, keyword: str, fact: str) -> str | None:
    """The value of an element if it is a permitted term of the fact, else None."""
    word = _word(dataset, keyword)
    return word if word in PERMITTED[fact] else None


def _flag(dataset: Dataset, keyword: str, terms: tuple[str, str]) -> bool | None:
    """Whether an element has the second of two terms; None if it has neither."""
    word = _word(dataset, keyword)
    return word == terms[1] if word in terms else None


def _number(dataset: Dataset, keyword: str, fact: str) -> int | None:
    """The value of an element if it is a permitted whole number of the fact, else None."""
    values = numbers(dataset, keyword)
    value = values[0] if len(values) == 1 else None
    return int(value) if value is not None and value.is_integer() and int(value) in PERMITTED[fact] else None


def _spacing(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    """Two plausible distances in mm, rounded so that they cannot carry other information."""
    rounded = tuple(round(value, 4) for value in numbers(dataset, keyword) if value is not None)
    return (rounded[0], rounded[1]) if len(rounded) == 2 and all(map(is_distance, rounded)) else None


def _orientation(dataset: Dataset) -> tuple[str, str] | None:
    """The two directions of PatientOrientation, each up to three letters of the standard."""
    found = words(dataset, "PatientOrientation")
    if len(found) != 2 or not all(_DIRECTION.fullmatch(word) for word in found):
        return None
    return found[0], found[1]


def _transfer_syntax(dataset: Dataset) -> str | None:
    """The transfer syntax if it is a standard one; a private UID may identify the hospital."""
    meta = dataset.file_meta if isinstance(dataset, FileDataset) else Dataset()
    uid = _word(meta, "TransferSyntaxUID")
    return uid if uid in PERMITTED["transfer_syntax"] else None


def _maker(dataset: Dataset) -> str | None:
    """The known maker that Manufacturer names; other words are dropped."""
    said = _word(dataset, "Manufacturer")
    return next((maker for maker in MAKERS if re.search(rf"\b{maker}\b", said)), None)


def _age(dataset: Dataset) -> int | None:
    """The age in full years, capped; PatientBirthDate is never read."""
    match = _AGE.fullmatch(_word(dataset, "PatientAge"))
    if match is None or (match[2] == "Y" and int(match[1]) > 120):
        return None
    return min(int(int(match[1]) * _YEARS_PER[match[2]]), OLDEST)
