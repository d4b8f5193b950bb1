"""Shared parts of the presets: words for splits, views and labels, paths, and the error for a wrong layout."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from admin.site.prepare.rows import Cells, column
from fedaid.data.header.terms import VIEWS
from fedaid.data.table import CHEXPERT_14, UNCERTAIN
from fedaid.errors import InputError, require

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validate", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def given_split(word: str, where: str) -> tuple[str, ...]:
    """Return the split of a word, or an empty tuple for an empty word.

    Raises:
        InputError: for an unknown word. If it were ignored, a patient could be in two splits.
    """
    split = SPLIT_WORDS.get(word.lower())
    rule, remedy = "be one of train, valid, test or empty", "Correct the table."
    require(bool(split or not word), "split", rule, got="an unknown word", where=where, remedy=remedy)
    return (split,) if split else ()


def view_of(word: str) -> str:
    """Return a view in capitals if it is a known term, otherwise an empty text."""
    return word.upper() if word.upper() in VIEWS else ""


def chexpert_labels(cells: Cells) -> str:
    """Return a row's CheXpert findings as labels: 1 is present, -1 is uncertain."""
    values = {name: _number(cells.get(column(name), "")) for name in CHEXPERT_14}
    marks = {1.0: "", -1.0: UNCERTAIN}
    return "|".join(f"{marks[value]}{name}" for name, value in values.items() if value in marks)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return 0.0


def path_below(images: Path, given: str) -> str:
    """Return an image's path relative to the folder of images. An absolute path below the folder is shortened.

    A path that leads out of the folder is not changed; the search for files refuses it.
    """
    path = PurePosixPath(given.replace("\\", "/"))
    for root in (images.absolute(), images.resolve()):
        if path.is_absolute() and path.is_relative_to(root.as_posix()):
            return os.path.normpath(path.relative_to(root.as_posix()))
    return os.path.normpath(path)


def table_in(folder: Path, patterns: Iterable[str], *, preset: str, of: str) -> Path:
    """Return the first file of a folder that matches one of the patterns; subfolders are not searched.

    Raises:
        InputError: if no file matches.
    """
    patterns = tuple(patterns)
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]
    if not found:
        raise missing(of, patterns[0], preset=preset)
    return found[0]


def missing(of: str, what: str, *, preset: str) -> InputError:
    """Return the error for a missing part of a layout."""
    remedy = "Give the data set as it was downloaded; docs/data.md describes the layout of each preset."
    return InputError(of, f"hold {what}", got="nothing of that name", where=f"preset {preset}", remedy=remedy)
