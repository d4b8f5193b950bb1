"""The cells of a DICOM object's pixels, decompressed but otherwise as stored, and the numbers in them.

A cell of 16 bits often holds a number of 12. The bits beside it are overlays, copies of the sign or rubbish. They are
removed from the levels of the image, not from each pixel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileDataset
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSTransferSyntaxes,
)

from fedaid.data.header.pixel_tags import PixelTags
from fedaid.data.unusable import UnusableStudy

_STANDARD = r"1\.2\.840\.10008\.1\.2\."
_NAMED_CODECS = (
    (re.compile(_STANDARD + r"4\.20[123]"), "image-codec-htj2k"),
    (re.compile(_STANDARD + r"4\.11[012]"), "image-codec-jpeg-xl"),
    (re.compile(_STANDARD + r"(4\.10\d(\.1)?|7\.\d)"), "image-codec-video"),
)


@dataclass(frozen=True, eq=False)
class StoredPixels:
    """Pixels as stored.

    Attributes:
        cells: (H, W), or (H, W, 3) in RGB for colour, or as :func:`is_wide_luma` says.
        bits: of a number in a cell; None if a cell is a number.
        shift: bits below it.
        signed: whether a number is in two's complement.
        padding: ends of the declared padding as written, or None.
    """

    cells: NDArray[Any]
    bits: int | None
    shift: int
    signed: bool
    padding: tuple[int, int] | None

    def numbers(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers in some cells, of any shape."""
        if self.bits is None or cells.dtype.kind not in "iu":
            return cells
        numbers = (cells.astype(np.int64) >> self.shift) & ((1 << self.bits) - 1)
        return numbers - (numbers >> self.bits - 1 << self.bits) if self.signed else numbers

    def is_padding(self, cells: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Return whether some cells are padding; None if none is declared.

        The padding may be written in either sign representation. It is compared with the whole cell, because it may
        not fit into the bits of a number, and with the number.
        """
        if self.padding is None or cells.dtype.kind not in "iu":
            return None
        width = 8 * self.cells.dtype.itemsize
        ends = [_wrapped(end, width, signed=self.cells.dtype.kind == "i") for end in self.padding]
        found = (cells >= min(ends)) & (cells <= max(ends))
        bits = self.bits or width
        ends = [end for written in self.padding if (end := _fitting(written, bits, signed=self.signed)) is not None]
        if len(ends) == 2:
            numbers = self.numbers(cells)
            found |= (numbers >= min(ends)) & (numbers <= max(ends))
        return np.asarray(found)


def stored_pixels(header: FileDataset, tags: PixelTags) -> StoredPixels:
    """Return the pixels of an object, decoded by the first plugin of pydicom that can.

    Args:
        header: with the pixels; its other tags are replaced by `tags`.
        tags: of the header and its pixels, see :func:`fedaid.data.pixels.stream_tags.tags_of_pixels`.

    Raises:
        UnusableStudy: one of the "image-codec-" codes for a compression without a decoder; other errors of pydicom for
            broken pixels.
    """
    syntax = header.file_meta.TransferSyntaxUID
    decoder = codec(header, bits=tags.stored)
    _replace_tags(header, tags, stored=tags.high + 1)
    grey = tags.samples == 1
    options: dict[str, Any] = {"correct_unused_bits": False, "view_only": not syntax.is_encapsulated}
    cells, _ = decoder.as_array(header, raw=grey, **options)
    cells = cells.reshape(tags.rows, tags.columns, *(() if grey else (tags.samples,)))
    whole = syntax in JPEG2000TransferSyntaxes or syntax in JPEGLSTransferSyntaxes  # their decoders return numbers
    shift = tags.high + 1 - tags.stored
    shift = shift if shift and _reaches_above(cells, tags.stored) else 0
    return StoredPixels(cells, None if whole and not shift else tags.stored, shift, tags.signed, tags.padding)


def codec(header: FileDataset, *, bits: int) -> Decoder:
    """Return the decoder of an object's compression.

    pydicom refuses JPEG of 12 bits for GDCM, which decodes it. So it is declared as another JPEG: GDCM reads the
    process and the precision from the stream.

    Args:
        header: its transfer syntax may be changed.
        bits: of a number.

    Raises:
        UnusableStudy: with the code that names the compression.
    """
    syntax = UID(str(header.file_meta.TransferSyntaxUID))
    if syntax == JPEGExtended12Bit and bits != 8:
        header.file_meta.TransferSyntaxUID = syntax = JPEGLossless
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise UnusableStudy(missing_codec(syntax)) from None
    if not decoder.is_available:
        raise UnusableStudy(missing_codec(syntax))
    return decoder


def missing_codec(syntax: UID) -> str:
    """Return the code for a compression that has no decoder here; it names the compression."""
    return next((code for uids, code in _NAMED_CODECS if uids.fullmatch(syntax)), "image-codec-other")


def is_wide_luma(tags: PixelTags) -> bool:
    """Whether pixels are luma and chroma of more than 8 bits, which pydicom does not turn into colours."""
    return tags.photometric == "YBR_FULL" and tags.allocated > 8


def _replace_tags(header: FileDataset, tags: PixelTags, *, stored: int) -> None:
    """Replace the tags that the decoders read; what was there is not looked at, because it may be broken."""
    colour = tags.photometric if tags.photometric.startswith("YBR") and not is_wide_luma(tags) else "RGB"
    replaced: dict[str, object] = {
        "Rows": tags.rows,
        "Columns": tags.columns,
        "NumberOfFrames": 1,
        "SamplesPerPixel": tags.samples,
        "PlanarConfiguration": tags.planar,
        "PhotometricInterpretation": "MONOCHROME2" if tags.samples == 1 else colour,  # the caller inverts
        "BitsAllocated": tags.allocated,
        "BitsStored": stored,
        "HighBit": stored - 1,
        "PixelRepresentation": int(tags.signed),
    }
    for keyword, value in replaced.items():
        header.add_new(keyword, dictionary_VR(keyword), value)


def _reaches_above(cells: NDArray[Any], bits: int) -> bool:
    """Whether a cell uses more than its lowest bits, so that a HighBit above them is plausible."""
    return bool((cells.astype(np.int64) >> bits).any())


def _wrapped(value: int, bits: int, *, signed: bool) -> int:
    """A number as cells of some bits hold it."""
    low = value % (1 << bits)
    return low - (1 << bits) if signed and low >> bits - 1 else low


def _fitting(value: int, bits: int, *, signed: bool) -> int | None:
    """A number as written in 16 bits of either sign representation, if one of both fits into some bits."""
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return next((one for one in (value, value - (1 << 16), value + (1 << 16)) if least <= one <= most), None)
