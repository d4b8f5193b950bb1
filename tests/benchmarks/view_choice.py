"""Counts the studies of a PACS tree whose lateral film ``prepare`` takes for the frontal one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.field.export import chest
from tests.field.field_case import Run, prepared
from tests.field.pacs_tree import STUDIES, write_pacs_tree


class ViewChoice(NamedTuple):
    """What became of the tree: lateral films taken, studies in the dataset, and studies left out with a name."""

    lateral_for_frontal: int
    studies: int
    left_out: int


def lateral_for_frontal(folder: Path) -> ViewChoice:
    """Write the tree into a folder, prepare it and compare each chosen picture with the two that were drawn."""
    write_pacs_tree(folder)
    run = prepared(folder)
    taken = [number for number in STUDIES if run.study(number) is not None]
    left_out = run.result["quarantined"].get("view-unclear", 0)
    return ViewChoice(sum(is_lateral(run, number) for number in taken), len(taken), left_out)


def is_lateral(run: Run, number: int) -> bool:
    """Whether the picture of a study is nearer to its lateral drawing than to its frontal one."""
    seen = run.picture(number)
    frontal, lateral = (_likeness(seen, chest(number, lateral=side)) for side in (False, True))
    return lateral > frontal


def _likeness(seen: NDArray[np.float32], drawn: NDArray[np.float64]) -> float:
    """The correlation of a square picture, padded at its sides, with a drawing."""
    size, (height, width) = len(seen), drawn.shape
    columns = (np.arange(size) + 0.5 - size / 2) / size * height + width / 2
    inside = (columns >= 0) & (columns < width)
    rows = ((np.arange(size) + 0.5) / size * height).astype(int)
    expected = drawn[np.ix_(rows, columns[inside].astype(int))]
    return float(np.corrcoef(seen[:, inside].ravel(), expected.ravel())[0, 1])
