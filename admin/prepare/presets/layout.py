"""What the presets share: words for splits, views and labels, paths, and how a wrong layout is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from admin.prepare.rows import Cells, column
from admin.twin.findings import CHEXPERT_14
from fedaid.data.header_terms import VIEWS
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
    """The CheXpert findings that a row holds 1 for, as a manifest has labels; 0, -1 (uncertain) and blank are none."""
    return "|".join(name for name in CHEXPERT_14 if _is_one(cells.get(column(name), "")))


def _is_one(cell: str) -> bool:
    try:
        return float(cell) == 1
    except ValueError:
        return False


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
