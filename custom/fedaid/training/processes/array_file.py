"""Arrays that one process of a site hands to another, in a file of a private folder; nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

Arrays = Mapping[str, NDArray[Any]]


def save_arrays(arrays: Arrays, file: Path) -> None:
    """Writes arrays of any memory layout."""
    save_file({name: np.asarray(array, order="C") for name, array in arrays.items()}, file)


def take_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Reads the arrays of a file and removes it."""
    arrays: dict[str, NDArray[Any]] = load_file(file)
    file.unlink()
    return arrays
