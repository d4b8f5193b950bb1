"""Manifests that a site wrote by hand, each at fault in one way, and what the site's reader says of each."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedaid.data.site_data import load_site_data
from fedaid.errors import InputError
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.site_worker import check_size
from tests.catalogue.place import Place

COLUMNS = ("study_id", "patient_id", "image", "report", "split")
STUDIES = 9
LEAST = 2
"""Studies that a split needs: a batch of one has no contrast."""

Cells = list[list[str]]


@dataclass(frozen=True)
class BadManifest:
    """One fault of a manifest.

    Args:
        name: unique among all items.
        change: spoils the cells, header first.
        code: "refused: " and what the message names, or the code of the one study that is skipped, or nothing.
        note: why this is right, where that is not plain.
    """

    name: str
    change: Callable[[Cells], None]
    code: str = ""
    note: str = ""


def counted(bad: BadManifest, folder: Path) -> tuple[str, ...]:
    """Write a site with this manifest into an empty folder, read it, and return the codes that were counted."""
    cells = sound_site(folder)
    bad.change(cells)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(cells)
    tokenizer = load_tokenizer(find_vocabulary("radiology"), max_tokens=32)
    try:
        data = load_site_data(folder, cache=folder / "cache", image_size=16, tokenizer=tokenizer)
        check_size(data.train, "train", LEAST, "batch_size", "catalogue")
        check_size(data.valid, "valid", LEAST, "valid_batch_size", "catalogue")
    except InputError as error:
        return (f"refused: {str(error).split(' must ')[0]}",)
    return tuple(reason for reason, count in data.skipped.items() for _ in range(count))


def sound_site(folder: Path) -> Cells:
    """Write the images of a sound site and return its manifest's cells: three studies a split."""
    cells = [list(COLUMNS)]
    for number in range(STUDIES):
        place = Place(folder, f"s{number}", number)
        image = place.save(place.film()).relative_to(folder)
        split = ("train", "valid", "test")[number % 3]
        cells.append([f"s{number}", f"p{number}", str(image), f"IMPRESSION: Clear, {number}.", split])
    return cells


def without_column(cells: Cells) -> None:
    """No column ``patient_id``."""
    for row in cells:
        del row[1]


def with_formulas(cells: Cells) -> None:
    """Cells that a spreadsheet would run; here they are text like any other."""
    cells[1][0], cells[2][1] = '=HYPERLINK("http://example.org")', "@SUM(1+1)*cmd|' /C calc'!A0"


def study_twice(cells: Cells) -> None:
    """Two rows of one study."""
    cells[4][0] = cells[1][0]


def outside(cells: Cells) -> None:
    """An image that is not below the folder."""
    cells[1][2] = "../../etc/passwd"


def valid_of(cells: Sequence[list[str]], size: int) -> None:
    """A validation split of this many studies; the others train."""
    valid = [row for row in cells if row[4] == "valid"]
    for row in valid[size:]:
        row[4] = "train"


def patient_on_two_sides(cells: Cells) -> None:
    """A patient who is in ``train`` and in ``valid``."""
    cells[2][1] = cells[1][1]


BAD_MANIFESTS: tuple[BadManifest, ...] = (
    BadManifest("manifest-without-column", without_column, "refused: header"),
    BadManifest("manifest-with-formula", with_formulas, note="text to us; quoted where a list is written"),
    BadManifest("manifest-with-a-study-twice", study_twice, "refused: study_id"),
    BadManifest("manifest-path-outside", outside, "image-outside-root"),
    BadManifest("split-without-validation", lambda cells: valid_of(cells, 0), "refused: valid_batch_size"),
    BadManifest("split-with-one-sample", lambda cells: valid_of(cells, 1), "refused: valid_batch_size"),
    BadManifest("split-with-a-patient-on-two-sides", patient_on_two_sides, "refused: split"),
)
"""In the order of the catalogue."""
