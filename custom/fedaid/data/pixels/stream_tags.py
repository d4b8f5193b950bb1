"""The pixel tags of an object whose pixels contradict them.

A compressed stream states its own channels and precision, and bytes without compression have a length. Where a header
says something else, it was copied from another object, and a decoder would return a wrong picture without an error.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import _get_jpg_parameters
from pydicom.uid import JPEGLSTransferSyntaxes, JPEGTransferSyntaxes, RLELossless

from fedaid.data.header.pixel_tags import PixelTags

_CONTAINERS = (8, 16, 32)


def tags_of_pixels(header: FileDataset, tags: PixelTags) -> PixelTags:
    """Return the tags, with what the pixels themselves say; as they are if the pixels say nothing.

    Args:
        header: with the pixels.
        tags: of the header.
    """
    syntax = header.file_meta.TransferSyntaxUID
    pixels = header.get("PixelData") or b""
    if not syntax.is_encapsulated:
        return _with_order(pixels, _by_length(len(pixels), tags))
    if syntax != RLELossless:  # decoders return the channels of a pixel together
        tags = replace(tags, planar=0)
    if syntax not in JPEGTransferSyntaxes and syntax not in JPEGLSTransferSyntaxes:
        return tags
    stated = _get_jpg_parameters(get_frame(pixels, 0, number_of_frames=1))
    return _with_precision(_with_channels(tags, stated.get("components", 0)), stated.get("precision", 0))


def _by_length(length: int, tags: PixelTags) -> PixelTags:
    """The tags by the number of bytes: an unusable BitsAllocated, or YBR_FULL_422 whose colour is not subsampled."""
    cells = tags.rows * tags.columns * tags.samples
    if tags.photometric == "YBR_FULL_422" and length >= cells * tags.allocated // 8 > 0:
        tags = replace(tags, photometric="YBR_FULL")
    bits = 8 * (length // cells) if cells else 0
    if bits not in _CONTAINERS or tags.ignored.isdisjoint(("BitsAllocated", "BitsStored")) or bits == tags.allocated:
        return tags
    stored = min(bits, bits if "BitsStored" in tags.ignored else tags.stored)
    return replace(tags, allocated=bits, stored=stored, high=max(stored - 1, min(tags.high, bits - 1)))


def _with_order(pixels: bytes, tags: PixelTags) -> PixelTags:
    """The tags with the order of the channels of a grey image: its last two channels are equal."""
    size = tags.rows * tags.columns
    if tags.samples != 3 or tags.allocated not in (8, 16) or len(pixels) < 3 * size * tags.allocated // 8:
        return tags
    cells = np.frombuffer(pixels, f"u{tags.allocated // 8}", count=3 * size)
    orders = ((cells[1::3], cells[2::3]), (cells[size : 2 * size], cells[2 * size :]))
    found = [order for order, (second, third) in enumerate(orders) if np.array_equal(second, third)]
    return replace(tags, planar=found[0]) if len(found) == 1 else tags


def _with_channels(tags: PixelTags, channels: int) -> PixelTags:
    """The tags with the number of channels of a stream."""
    if channels not in (1, 3) or channels == tags.samples:
        return tags
    coloured = tags.photometric not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    return replace(
        tags, samples=channels, photometric="MONOCHROME2" if channels == 1 and coloured else tags.photometric
    )


def _with_precision(tags: PixelTags, bits: int) -> PixelTags:
    """The tags with the precision of a stream that does not fit into a cell, or has fewer bits than half a number."""
    if tags.allocated < bits <= 16 or bits == 8 < tags.stored:
        return replace(tags, allocated=8 if bits == 8 else 16, stored=bits, high=bits - 1)
    return tags
