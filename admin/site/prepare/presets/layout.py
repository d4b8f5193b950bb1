"""What the presets share: words for splits, views and labels, paths, and how a wrong layout is refused."""

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
    """The split that a word stands for, or none for no word.

    Raises:
        InputError: for a word that names no split; one that was taken for none could put a patient on two sides.
    """
    split = SPLIT_WORDS.get(word.lower())
    rule, remedy = "be one of train, valid, test or empty", "Correct the table."
    require(bool(split or not word), "split", rule, got="another word", where=where, remedy=remedy)
    return (split,) if split else ()


def view_of(word: str) -> str:
    """A view if it is a known term, else nothing."""
    return word.upper() if word.upper() in VIEWS else ""


def chexpert_labels(cells: Cells) -> str:
    """A row's CheXpert findings as a manifest has labels: those with 1, and those with -1 as uncertain ones."""
    values = {name: _number(cells.get(column(name), "")) for name in CHEXPERT_14}
    marks = {1.0: "", -1.0: UNCERTAIN}
    return "|".join(f"{marks[value]}{name}" for name, value in values.items() if value in marks)


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return 0.0


def path_below(images: Path, given: str) -> str:
    """An image's path below the folder of images; one that is given from the root of the disk is cut, if it is below.

    A path that leads out of the folder stays as it is, and is refused where files are looked for.
    """
    path = PurePosixPath(given.replace("\\", "/"))
    for root in (images.absolute(), images.resolve()):
        if path.is_absolute() and path.is_relative_to(root.as_posix()):
            return os.path.normpath(path.relative_to(root.as_posix()))
    return os.path.normpath(path)


def table_in(folder: Path, patterns: Iterable[str], *, preset: str, of: str) -> Path:
    """The first file directly in a folder that has one of some names.

    Raises:
        InputError: if there is none.
    """
    patterns = tuple(patterns)
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file()]
    if not found:
        raise missing(of, patterns[0], preset=preset)
    return found[0]


def missing(of: str, what: str, *, preset: str) -> InputError:
    """The error for a layout that lacks something."""
    remedy = "Give the data set as it was downloaded; docs/data.md says the layout of each preset."
    return InputError(of, f"hold {what}", got="nothing of that name", where=f"preset {preset}", remedy=remedy)
