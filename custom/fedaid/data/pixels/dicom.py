"""A radiograph from a DICOM file.

Only the tags that describe pixels are read; the parser skips the identifiers of a patient. Grey values are transformed
in this order: modality LUT or rescale, VOI LUT or window (the first of several), inversion of MONOCHROME1, stretch to
[0, 1]. PresentationLUTShape is ignored: in DX it is INVERSE exactly for MONOCHROME1, so both together would invert
twice (PS3.3, C.8.11.3.1.2). The orientation is not changed.
"""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGExtended12Bit,
)

from fedaid.data.pixels.grey_levels import modality_values, windowed_values
from fedaid.data.pixels.grey_picture import Picture, grey_picture
from fedaid.data.pixels.intensity import MAX_PIXELS
from fedaid.data.unusable import UnusableStudy

MAX_BYTES = 1 << 30

_PIXEL_DATA = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_TAGS = [
    *_PIXEL_DATA,
    *("SOPClassUID", "BurnedInAnnotation"),
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
]
_BROKEN = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, NotImplementedError, RuntimeError, AssertionError, struct.error, zlib.error),
)
"""What pydicom and its decoders raise for files that break the standard; found by tests with damaged files."""


def read_dicom(path: Path) -> NDArray[np.float32]:
    """Return all rows of :func:`dicom_picture`, (H, W) float32 in [0, 1]."""
    return dicom_picture(path)[:]


def dicom_picture(path: Path) -> Picture:
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
        _require_single_grey_frame(header)
        stored = _stored_pixels(header)
        return grey_picture(stored, lambda levels: _shown(levels, header), counted=lambda at: _not_padding(at, header))
    except MemoryError:
        raise UnusableStudy("image-too-large") from None
    except _BROKEN:
        raise UnusableStudy("image-unreadable") from None


def silence() -> None:
    """Turn off the messages of pydicom and GDCM, which may quote tags; before every read, because others reset it."""
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
    warnings.filterwarnings("ignore", module=r"fedaid\.data\.pixels\.(dicom|grey_levels)$")
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()


def without_picture(header: FileDataset) -> UnusableStudy:
    """The error for an object without pixels or size: broken if its class is an image, else unsupported.

    The class is read from the meta information first, because pydicom returns only that for a file that ends within its
    compressed pixels.

    Args:
        header: with SOPClassUID, if the file has no meta information.
    """
    named = header.file_meta.get("MediaStorageSOPClassUID") or header.get("SOPClassUID") or ""
    return UnusableStudy("image-unreadable" if "Image Storage" in UID(str(named)).name else "image-unsupported")


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


def _require_single_grey_frame(header: FileDataset) -> None:
    """Raise unless the object is one frame of grey pixels."""
    photometric = str(header.get("PhotometricInterpretation") or "").strip().upper()
    if not any(keyword in header for keyword in _PIXEL_DATA) or not header.get("Rows") or not header.get("Columns"):
        raise without_picture(header)
    if str(header.get("BurnedInAnnotation") or "").strip().upper() == "YES":
        raise UnusableStudy("image-burned-in")
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise UnusableStudy("image-multiframe")
    if int(header.get("SamplesPerPixel") or 1) != 1 or photometric.startswith(("RGB", "YBR", "PALETTE")):
        raise UnusableStudy("image-colour")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnusableStudy("image-photometric")
    if header.Rows * header.Columns > MAX_PIXELS:
        raise UnusableStudy("image-too-large")
    header.PhotometricInterpretation, header.SamplesPerPixel = photometric, 1


def _shown(levels: NDArray[Any], header: FileDataset) -> NDArray[np.float64]:
    """The grey values of stored numbers of any shape, higher where the patient is dense."""
    values = windowed_values(modality_values(levels, header), header)
    return -values if header.PhotometricInterpretation == "MONOCHROME1" else values


def _stored_pixels(header: FileDataset) -> NDArray[Any]:
    """The stored pixels (H, W), decoded by the first plugin of pydicom that can."""
    syntax = header.file_meta.TransferSyntaxUID
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available or (syntax == JPEGExtended12Bit and header.BitsStored != 8):  # GDCM and Pillow decode 8 bits only
        raise UnusableStudy("image-unsupported")
    return np.asarray(header.pixel_array).reshape(header.Rows, header.Columns)


def _not_padding(stored: NDArray[Any], header: FileDataset) -> NDArray[np.bool_] | None:
    """Which of the stored numbers are not padding; None if the object declares no padding."""
    value = header.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = header.get("PixelPaddingRangeLimit")
    other = limit if isinstance(limit, int) else value
    return np.asarray(np.less(stored, min(value, other)) | np.greater(stored, max(value, other)))
