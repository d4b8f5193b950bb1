"""A DICOM object's grey transformations: modality (LUT or rescale) and value of interest (LUT or window).

pydicom's functions are not used. They scale to the bit depth, which :func:`fedaid.data.pixels.intensity.unit_range`
undoes; they wrap around for 8-bit LUTs with more than 256 entries; and they refuse windows that could be ignored.
Source: DICOM PS3.3, C.11.1 (modality LUT) and C.11.2 (VOI LUT).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from fedaid.data.unusable import UnusableStudy

Grey = NDArray[np.float64]


def modality_values(stored: NDArray[np.number], header: Dataset) -> Grey:
    """Return the values in the unit of the modality: by the modality LUT, or slope and intercept, or unchanged.

    Args:
        stored: decoded pixels, or the levels that occur in them; any shape.
        header: the object's tags.
    """
    values = np.asarray(stored, dtype=np.float64)
    if header.get("ModalityLUTSequence"):
        return _look_up(values, header.ModalityLUTSequence[0], header.PixelRepresentation)
    slope, intercept = _first(header, "RescaleSlope"), _first(header, "RescaleIntercept")
    scaled = values if slope is None else values * slope
    return scaled if intercept is None else scaled + intercept


def windowed_values(values: Grey, header: Dataset) -> Grey:
    """Return the values after the first VOI LUT or window of the object.

    A window is ignored if it is invalid or maps this image to a single grey. A common fault is a window for values
    before the rescale.

    Args:
        values: in the unit of the modality, of an image or of its levels; any shape.
        header: the object's tags.
    """
    if header.get("VOILUTSequence") and header.VOILUTSequence[0].get("LUTData") is not None:
        shown = _look_up(values, header.VOILUTSequence[0], header.PixelRepresentation)
    else:
        shown = _window(values, header)
    return shown if np.ptp(shown) > 0 else values


def _window(values: Grey, header: Dataset) -> Grey:
    """The values after the first window, by its VOILUTFunction: 0 below it, 1 above it; unchanged if it is invalid."""
    centre, width = _first(header, "WindowCenter"), _first(header, "WindowWidth")
    function = str(header.get("VOILUTFunction") or "LINEAR").strip().upper()
    if centre is None or width is None:
        return values
    if function == "LINEAR":  # centre and width count values, not the distance between them: C.11.2.1.2.1
        centre, width = centre - 0.5, width - 1.0
    if not (np.isfinite(centre) and np.isfinite(width) and width > 0):
        return values
    offset = (values - centre) / width
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * offset, -500.0, 500.0)))
    return np.asarray(np.clip(offset + 0.5, 0.0, 1.0))


def _look_up(values: Grey, item: Dataset, signed: int) -> Grey:
    """The values after one item of a LUT sequence; values outside the table take its first or last entry."""
    if not np.isfinite(values).all():
        raise UnusableStudy("image-not-finite")
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    entries = entries % 65536 or 65536
    first = (first + 32768) % 65536 - 32768 if signed else first % 65536
    table = _table(item.LUTData, entries, bits)
    index = np.clip(np.rint(values) - first, 0, table.size - 1)
    return np.asarray(table[index.astype(np.int64)])


def _table(data: object, entries: int, bits: int) -> Grey:
    """The entries of a LUT as numbers; pydicom returns words (US) or bytes (OW)."""
    if isinstance(data, bytes):
        packed = bits <= 8 and len(data) < 2 * entries
        data = np.frombuffer(data[: len(data) // 2 * 2], dtype="u1" if packed else "<u2")
    table = np.atleast_1d(np.asarray(data, dtype=np.float64))[:entries]
    if table.size == 0:
        raise ValueError("an empty LUT")
    return table


def _first(header: Dataset, keyword: str) -> float | None:
    """The first number of a tag; None if it has none."""
    value = header.get(keyword)
    if value is None or value == "":
        return None
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
    return float(numbers[0]) if numbers.size else None
