"""A radiograph from a DICOM file.

Only the tags that describe pixels are read; the parser skips the identifiers of a patient. Grey values are transformed
in this order: modality LUT or rescale, VOI LUT or window (the first of several), inversion of MONOCHROME1, stretch to
[0, 1]. Padding becomes 0, the background. PresentationLUTShape is not used: the standard permits INVERSE for
MONOCHROME1 only and IDENTITY for MONOCHROME2 only (PS3.3, C.7.6.1 and C.8.11.3.1.2), so PhotometricInterpretation
decides. The orientation is not changed.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from fedaid.data.header.element_values import BROKEN, words
from fedaid.data.header.pixel_tags import PIXEL_TAGS, PixelTags, pixel_tags
from fedaid.data.pixels.colour import PALETTE_TAGS, grey_of_channels, luma_as_channels, palette_greys
from fedaid.data.pixels.grey_levels import modality_values, windowed_values
from fedaid.data.pixels.grey_picture import Film, Picture, grey_picture
from fedaid.data.pixels.intensity import MAX_PIXELS
from fedaid.data.pixels.seams import without_seam
from fedaid.data.pixels.stored_pixels import is_wide_luma, stored_pixels
from fedaid.data.pixels.stream_tags import tags_of_pixels
from fedaid.data.unusable import UnusableStudy

MAX_BYTES = 1 << 30

_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_TAGS = [
    *(*_PIXEL_DATA, "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *("SOPClassUID", "BurnedInAnnotation", *PIXEL_TAGS, *PALETTE_TAGS),
]
_GREY = ("MONOCHROME1", "MONOCHROME2")
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", *_GREY)
"""Of these colour spaces pydicom knows the red, green and blue; grey with three samples has them equal."""


def read_dicom(path: Path) -> NDArray[np.float32]:
    """Return all rows of :func:`dicom_picture`, (H, W) float32 in [0, 1], one number a pixel of any shape."""
    return dicom_picture(path).picture[:]


def dicom_picture(path: Path) -> Film:
    """Return the image of a DICOM file, bright where the patient is dense.

    Call it in a decode process only (``decode_worker.py``): GDCM 3.2 ends its process on some damaged JPEG streams, by
    std::terminate or a fault in memory.

    Args:
        path: the file; its name is not used.

    Returns:
        (H, W) in [0, 1], bright = dense, in the orientation of the file.

    Raises:
        UnusableStudy: with one of the "image-" codes; a damaged file raises nothing else.
    """
    silence()
    try:
        header = _header(path)
        tags = tags_of_pixels(header, pixel_tags(header))
        _require_one_frame(header, tags)
        return Film(_picture(header, tags), tags.pixel_height)
    except MemoryError:
        raise UnusableStudy("image-too-large") from None
    except BROKEN:
        raise UnusableStudy("image-unreadable") from None


def silence() -> None:
    """Turn off the messages of pydicom and GDCM, which may quote tags; before every read, because others reset it."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
    warnings.filterwarnings("ignore", module=r"fedaid\.data\.pixels\.(dicom|stored_pixels|grey_levels)$")
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()


def without_picture(header: FileDataset) -> UnusableStudy:
    """The error for an object without pixels or size: broken if its class is an image, else unsupported.

    The class is read from the meta information first, because pydicom returns only that for a file that ends within its
    compressed pixels.

    Args:
        header: with SOPClassUID, if the file has no meta information.
    """
    named = words(header.file_meta, "MediaStorageSOPClassUID") or words(header, "SOPClassUID") or ("",)
    return UnusableStudy("image-unreadable" if "Image Storage" in UID(named[0]).name else "image-unsupported")


def _header(path: Path) -> FileDataset:
    """The pixel tags of the file; a missing transfer syntax is replaced by the one that the parser used."""
    if not path.is_file():
        raise UnusableStudy("image-missing")
    if path.stat().st_size > MAX_BYTES:
        raise UnusableStudy("image-too-large")
    header = dcmread(path, force=True, specific_tags=list(_TAGS))
    if "TransferSyntaxUID" not in header.file_meta:
        implicit, little = header.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        header.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return header


def _require_one_frame(header: FileDataset, tags: PixelTags) -> None:
    """Raise unless the object is one frame of grey pixels, or of colour that may be grey."""
    stated = any(keyword in header for keyword in _PIXEL_DATA)
    if stated and not tags.ignored.isdisjoint(("Rows", "Columns")):
        raise UnusableStudy("image-size-tags")
    if not stated or not tags.rows or not tags.columns:
        raise without_picture(header)
    if "YES" in words(header, "BurnedInAnnotation"):
        raise UnusableStudy("image-burned-in")
    if tags.frames > 1 or ("NumberOfFrames" in tags.ignored and _has_room_for_two(header, tags)):
        raise UnusableStudy("image-multiframe")
    if tags.samples > 1 and not (tags.samples == 3 and tags.photometric in _COLOUR):
        raise UnusableStudy("image-colour")
    if tags.samples == 1 and tags.photometric not in (*_GREY, "PALETTE COLOR"):
        raise UnusableStudy("image-photometric")
    if tags.rows * tags.columns > MAX_PIXELS:
        raise UnusableStudy("image-too-large")


def _has_room_for_two(header: FileDataset, tags: PixelTags) -> bool:
    """Whether uncompressed pixels are enough for two frames."""
    frame = tags.rows * tags.columns * tags.samples * tags.allocated // 8
    compressed = header.file_meta.TransferSyntaxUID.is_encapsulated
    return not compressed and len(header.get("PixelData") or b"") >= 2 * frame


def _picture(header: FileDataset, tags: PixelTags) -> Picture:
    """The picture of an object, in the shape of its pixels."""
    stored = stored_pixels(header, tags)
    if tags.samples == 3:
        channels = luma_as_channels(stored.cells, bits=tags.stored) if is_wide_luma(tags) else stored.cells
        picture = grey_picture(grey_of_channels(channels, highest=(1 << tags.stored) - 1))
        return picture if tags.photometric != "MONOCHROME1" else np.subtract(1, picture[:], dtype=np.float32)
    if tags.photometric == "PALETTE COLOR":
        return grey_picture(palette_greys(header, stored.numbers(stored.cells)))

    stored = without_seam(stored, tags.stored)

    def shown(cells: NDArray[np.number], counts: NDArray[np.number]) -> NDArray[np.float64]:
        values = windowed_values(modality_values(stored.numbers(cells), tags), counts, tags)
        return -values if tags.photometric == "MONOCHROME1" else values

    return grey_picture(stored.cells, shown, padding=stored.is_padding)
