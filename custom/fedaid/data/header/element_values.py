"""Reads one element of a DICOM header, whatever it holds: a broken value costs that value only, never the file."""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.tag import Tag

BROKEN = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, NotImplementedError, RuntimeError, AssertionError, struct.error, zlib.error),
)
"""What pydicom and its decoders raise for files that break the standard; found by tests with damaged files."""

_BINARY = {"US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8", "FL": "f4", "FD": "f8", "AT": "u2"}
_UNNAMED = ("UN", "OB", "OW")
"""Value representations that archives write where they do not know the right one."""
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def numbers(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """Return the numbers of an element, in any value representation.

    pydicom raises an error for a whole element with one broken value. This function reads the bytes themselves.

    Args:
        dataset: a header, as read or as made in memory.
        keyword: of the element.

    Returns:
        One finite number for each value, None in place of a broken one; empty if the element is absent or empty.
    """
    found = _element(dataset, keyword)
    if isinstance(found, RawDataElement):
        return _raw_numbers(found, keyword)
    return tuple(_number(str(value)) for value in _several(found) if str(value).strip())


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of a coded element as trimmed upper-case text, without the empty ones; () if it is broken."""
    found = _element(dataset, keyword)
    if isinstance(found, RawDataElement):
        values: Iterable[object] = (found.value or b"").decode("latin-1").split("\\")
    else:
        values = _several(found)
    return tuple(word for value in values if (word := str(value).strip(" \0").upper()))


def _element(dataset: Dataset, keyword: str) -> object:
    """The element as in the file, or its value if pydicom has converted it, or None."""
    try:
        found = dataset.get_item(Tag(keyword))
    except BROKEN:
        return None
    return found if found is None or isinstance(found, RawDataElement) else found.value


def _several(value: object) -> Iterable[object]:
    if value is None:
        return ()
    return value if isinstance(value, (MultiValue, list, tuple)) else (value,)


def _representation(element: RawDataElement, keyword: str) -> str:
    """The stated value representation, or the first one of the dictionary if none is stated."""
    stated = element.VR
    return dictionary_VR(Tag(keyword)).split()[0] if stated is None or stated in _UNNAMED else str(stated)


def _raw_numbers(element: RawDataElement, keyword: str) -> tuple[float | None, ...]:
    data = element.value or b""
    kind = _BINARY.get(_representation(element, keyword))
    if kind is None:
        text = data.decode("latin-1")
        return tuple(map(_number, text.split("\\"))) if text.strip(" \0") else ()
    form = np.dtype(kind).newbyteorder("<" if element.is_little_endian else ">")
    if not data or len(data) % form.itemsize:
        return (None,) if data else ()
    return tuple(value if math.isfinite(value) else None for value in map(float, np.frombuffer(data, form)))


def _number(text: str) -> float | None:
    """A decimal number of the standard; a decimal comma, "NaN", "inf" and underscores are none."""
    plain = text.strip(" \0")
    value = float(plain) if _DECIMAL.fullmatch(plain) else math.nan
    return value if math.isfinite(value) else None
