"""Makes the odd films of the image cases."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    RLELossless,
)

from tests.field.export import chest, film, save

CORNER = 16
SIGNED = {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15}
RESCALED = {"RescaleSlope": "2.5", "RescaleIntercept": "0", "WindowCenter": "5000", "WindowWidth": "10000"}
COLOUR = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
YBR = {**COLOUR, "PhotometricInterpretation": "YBR_FULL"}

Film = Callable[[int], Dataset]
Pixels = NDArray[np.generic]


def stored(number: int, *, bits: int = 12) -> NDArray[np.int64]:
    """The numbers of the drawn chest."""
    return np.round(chest(number) * (2**bits - 1)).astype(np.int64)


def save_odd(header: Dataset, path: Path) -> None:
    """Write a film, and replace the bytes that :func:`broken` names, because pydicom writes no broken values."""
    replaced = getattr(header, "replaced", ())
    save(header, path)
    content = path.read_bytes()
    for old, new in replaced:
        assert content.count(old) == 1, old
        assert len(old) == len(new), old
        content = content.replace(old, new)
    path.write_bytes(content)


def broken(base: Film, *replaced: tuple[bytes, bytes]) -> Film:
    """A film, bytes of which are replaced when it is written."""

    def odd(number: int) -> Dataset:
        header = base(number)
        object.__setattr__(header, "replaced", replaced)
        return header

    return odd


def tagged(**tags: Any) -> Film:
    """A film with other tags."""
    return lambda number: film(number, **tags)


def cells(change: Callable[[NDArray[np.int64]], Pixels], **tags: Any) -> Film:
    """A film of changed numbers."""
    return lambda number: film(number, change(stored(number)), **tags)


def grey(change: Callable[[NDArray[np.int64]], Pixels], **tags: Any) -> Film:
    """A film of changed numbers of 8 bits."""
    return lambda number: film(number, change(stored(number, bits=8)), **{"bits": 8, **tags})  # type: ignore[arg-type]


def negative(numbers: NDArray[np.int64]) -> Pixels:
    """The numbers of a film in which low is bright."""
    return (4095 - numbers).astype("<u2")


def half_of_the_rows(**tags: Any) -> Film:
    """A film with every other row, and tags that say so."""
    return lambda number: film(number, np.ascontiguousarray(stored(number)[::2].astype("<u2")), **tags)


def palette(number: int) -> Dataset:
    """A film whose numbers are places in a palette that runs from white to black."""
    header = film(
        number, (255 - stored(number, bits=8)).astype("u1"), bits=8, PhotometricInterpretation="PALETTE COLOR"
    )
    table = (np.arange(255, -1, -1) * 257).astype("<u2").tobytes()
    for colour in ("Red", "Green", "Blue"):
        setattr(header, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(header, f"{colour}PaletteColorLookupTableData", table)
    return header


def padded(padding: int, **tags: Any) -> Film:
    """A film with corners of padding, which its tags declare."""

    def odd(number: int) -> Dataset:
        picture = stored(number) - (2047 if padding < 0 else 0)
        picture = picture if "PhotometricInterpretation" not in tags else -picture
        picture[:CORNER, :CORNER] = picture[-CORNER:, -CORNER:] = padding
        return film(number, picture.astype("<i2" if padding < 0 else "<u2"), **tags)

    return odd


def without_corners(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """A picture whose padding is background."""
    picture[:CORNER, :CORNER] = picture[-CORNER:, -CORNER:] = picture.min()
    return picture


def with_lut(number: int) -> Dataset:
    """A film with a VOI LUT for other numbers than its own."""
    item = Dataset()
    item.LUTDescriptor = [256, 0, 16]
    item.add_new("LUTData", "OW", (np.arange(256) * 257).astype("<u2").tobytes())
    return film(number, (20000 + 4 * stored(number)).astype("<u2"), bits=16, VOILUTSequence=[item])


def bordered(number: int) -> Dataset:
    """A film inside a collimated border, with a window for other numbers than its own."""
    picture = (20000 + 2 * stored(number)).astype("<u2")
    picture[:5] = picture[-5:] = picture[:, :5] = picture[:, -5:] = 0
    return film(number, picture, bits=16, WindowCenter="1500", WindowWidth="2900")


def compressed(number: int) -> bytes:
    """The stream of a film in JPEG 2000."""
    header = film(number)
    header.compress(JPEG2000Lossless)
    return get_frame(header.PixelData, 0, number_of_frames=1)


def encoded(syntax: str, pixels: Callable[[bytes], bytes]) -> Film:
    """A film with other bytes of its pixels, declared as compressed."""

    def odd(number: int) -> Dataset:
        header = film(number)
        header.PixelData = pixels(compressed(number))
        header["PixelData"].is_undefined_length = True
        header.file_meta.TransferSyntaxUID = syntax
        return header

    return odd


def in_fragments(stream: bytes) -> bytes:
    """A stream in two fragments, behind an offset table that points nowhere."""
    half = len(stream) // 4 * 2
    parts = (stream[:half], stream[half:] + b"\0" * (len(stream) % 2))
    table = b"\xfe\xff\x00\xe0" + struct.pack("<LL", 4, 99999)
    return table + b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(part)) + part for part in parts)


def run_length(number: int) -> Dataset:
    header = film(number)
    header.compress(RLELossless)
    return header


def deflated(number: int) -> Dataset:
    header = film(number)
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return header


def big_endian(number: int) -> Dataset:
    header = film(number)
    header.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    header.PixelData = np.frombuffer(header.PixelData, "<u2").astype(">u2").tobytes()
    return header
