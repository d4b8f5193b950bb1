"""A lookup table of a DICOM header (PS3.3, C.11.1.1 and C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from fedaid.data.header.element_values import numbers

Grey = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A table from one value to another.

    Attributes:
        first: the value that the first entry is for.
        entries: (n,), n at least 1.
    """

    first: int
    entries: Grey

    def __call__(self, values: Grey) -> Grey:
        """Return the entries of some values; values outside the table take its first or last entry."""
        index = np.clip(np.rint(values) - self.first, 0, self.entries.size - 1)
        return np.asarray(self.entries[index.astype(np.int64)])


def lookup_table(dataset: Dataset, keyword: str, *, signed: bool) -> LookupTable | None:
    """Return the table in the first item of a sequence; None if there is no such sequence.

    Args:
        dataset: a header.
        keyword: of the sequence.
        signed: whether the stored pixels are signed.

    Raises:
        ValueError: for a table that cannot be used; other errors of pydicom for a broken sequence.
    """
    if not dataset.get(keyword):
        return None
    item = dataset[keyword].value[0]
    entries, first, bits = (int(number or 0) for number in numbers(item, "LUTDescriptor"))
    entries = entries % 65536 or 65536
    first = (first + 32768) % 65536 - 32768 if signed else first % 65536
    return LookupTable(first, _table(item["LUTData"].value, entries, bits))


def _table(data: object, entries: int, bits: int) -> Grey:
    """The entries of a LUT as numbers; pydicom returns words (US) or bytes (OW)."""
    if isinstance(data, bytes):
        packed = bits <= 8 and len(data) < 2 * entries
        data = np.frombuffer(data[: len(data) // 2 * 2], dtype="u1" if packed else "<u2")
    table = np.atleast_1d(np.asarray(data, dtype=np.float64))[:entries]
    if table.size == 0 or not np.isfinite(table).all():
        raise ValueError("an empty LUT")
    return table
