"""Damage to files: flipped bits and cut ends, one at a time; afterwards the file is whole again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np


def injuries(files: Sequence[Path], *, flips: int, cuts: int) -> Iterator[tuple[Path, str]]:
    """Damages the files in turn, and yields each damage with its name while it lasts.

    The first and the last bit of a file come first, then random ones; cuts to nothing, to a half and by one byte.

    Args:
        files: none of them empty.
        flips: flipped bits in all.
        cuts: shortened files in all.
    """
    rng = np.random.default_rng(0)
    for number, file in zip(range(flips), itertools.cycle(files), strict=False):
        content, turn = file.read_bytes(), number // len(files)
        last = 8 * len(content) - 1
        bit = (0, last)[turn] if turn < 2 else int(rng.integers(0, last))
        file.write_bytes(with_flipped_bit(content, bit))
        yield file, f"bit {bit} of {file.name}"
        file.write_bytes(content)
    for number, file in zip(range(cuts), itertools.cycle(files), strict=False):
        content, turn = file.read_bytes(), number // len(files)
        length = (0, len(content) // 2, len(content) - 1)[turn] if turn < 3 else int(rng.integers(0, len(content)))
        file.write_bytes(content[:length])
        yield file, f"{file.name} cut to {length} bytes"
        file.write_bytes(content)


def with_flipped_bit(content: bytes, bit: int) -> bytes:
    """The bytes with one bit flipped."""
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def files_in(folder: Path) -> list[Path]:
    """All files below a folder that are not empty."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
