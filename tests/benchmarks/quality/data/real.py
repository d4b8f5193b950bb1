"""The five natural sites of real pairs, in folds."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np

from tests.benchmarks.quality.data.data_set import DataSet, read_rows, write_rows

FOLDS = 5
VALID_SHARE = 0.2  # of the patients that are not tested on


def real(folder: Path, source: Path, *, fold: int, folds: int = FOLDS) -> DataSet:
    """The sites' pairs; the patients of one fold are tested on, a fifth of the others validate.

    By patient and for each site on its own; the folds of a site are drawn once. The pictures are copied below
    ``folder``, which must lie outside the project.
    """
    pairs = source / "pairs.csv"
    digest = sha256(pairs.read_bytes()).hexdigest()
    asked = {"fold": fold, "folds": folds, "valid_share": VALID_SHARE, "pairs": digest}
    names = sorted({row["site"] for row in read_rows(pairs)})
    return DataSet(folder, asked, names, [], partial(write_real, source=source, fold=fold, folds=folds))


def write_real(folder: Path, *, source: Path, fold: int, folds: int) -> None:
    """The data roots of all sites."""
    rows = read_rows(source / "pairs.csv")
    for name in sorted({row["site"] for row in rows}):
        write_real_site(folder / name, source, [row for row in rows if row["site"] == name], fold=fold, folds=folds)


def write_real_site(root: Path, source: Path, rows: Sequence[Mapping[str, str]], *, fold: int, folds: int) -> None:
    """One natural site's data root."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    splits = split_by_fold([row["patient"] for row in rows], fold=fold, folds=folds)
    made = []
    for number, row in enumerate(rows):
        shutil.copy(source / row["image"], root / row["image"])
        study = {"study_id": f"study-{number}", "patient_id": row["patient"], "image": row["image"]}
        made.append(study | {"report": row["text"], "split": splits[row["patient"]], "labels": row["labels"]})
    write_rows(root / "manifest.csv", made)


def split_by_fold(patients: Sequence[str], *, fold: int, folds: int) -> dict[str, str]:
    """patient → split: one fold of the patients tests, a fifth of the others, drawn for this fold, validates."""
    order = np.random.default_rng(0).permutation(sorted(set(patients))).tolist()
    tested = order[fold::folds]
    others = [patient for patient in order if patient not in set(tested)]
    valid = set(np.random.default_rng(fold).permutation(others)[: round(VALID_SHARE * len(others))].tolist())
    return {p: "test" if p in set(tested) else "valid" if p in valid else "train" for p in order}
