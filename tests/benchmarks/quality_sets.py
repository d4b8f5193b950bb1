"""The three data sets of ``make bench-quality``: twin, noisy, real; each as data roots of its sites."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from admin.twin.consortia import FIVE_HOSPITALS, UNIFORM_POPULATION
from admin.twin.hospital import Hospital
from admin.twin.population import write_population

TESTED = 128  # studies of every hospital to test on: the same number, so that recalls compare
NOISY = "harbour-general"  # a third of its reports belong to other studies, where it trains and validates
NOISE = 1 / 3
POPULATION = "held-out-population"
IMAGE_SIZE = 64
FOLDS = 5
VALID_SHARE = 0.2  # of the patients that are not tested on
DONE = "set.json"


@dataclass(frozen=True)
class DataSet:
    """Sites to train at, and populations that only test.

    Attributes:
        sites: site → data root.
        held_out: name → data root with a test split only.
        key: short, and another for other data.
    """

    sites: Mapping[str, Path]
    held_out: Mapping[str, Path]
    key: str = ""


def twin(folder: Path, *, seed: int, noisy: bool = False, tested: int = TESTED) -> DataSet:
    """Five unequal hospitals that differ in labels, machines and language, and an even mixture of other patients.

    Each trains and validates on the studies of its preset (70 and 30 % of them) and is tested on ``tested`` others of
    the same make, whose reports are always their own. Written once; a folder that is complete is read.
    """
    asked = asked_of_twin(seed=seed, noisy=noisy, tested=tested)
    if not complete(folder, asked):
        for hospital in FIVE_HOSPITALS:
            noise = NOISE if noisy and hospital.name == NOISY else 0.0
            write_site(folder / hospital.name, hospital, noise=noise, tested=tested, seed=seed)
        mixture = [replace(hospital, studies=tested // 2) for hospital in UNIFORM_POPULATION]
        write_population(folder / POPULATION, hospitals=mixture, seed=seed, image_size=IMAGE_SIZE, split="test")
        (folder / DONE).write_text(json.dumps(asked))
    sites = {hospital.name: folder / hospital.name for hospital in FIVE_HOSPITALS}
    return DataSet(sites, {POPULATION: folder / POPULATION}, key_of(asked))


def asked_of_twin(*, seed: int, noisy: bool, tested: int) -> dict[str, Any]:
    """All that decides the data of :func:`twin`, but for the code that draws them."""
    hospitals = key_of([repr(hospital) for hospital in (*FIVE_HOSPITALS, *UNIFORM_POPULATION)])
    noise = NOISE if noisy else 0.0
    return {"seed": seed, "noise": noise, "tested": tested, "image_size": IMAGE_SIZE, "hospitals": hospitals}


def key_of(asked: Any) -> str:
    """Short, and another for anything else that is asked for; of plain JSON."""
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def complete(folder: Path, asked: Mapping[str, Any]) -> bool:
    """Whether a folder holds all of the data that are asked for; one that holds something else is emptied."""
    done = folder / DONE
    if done.is_file() and json.loads(done.read_text()) == asked:
        return True
    shutil.rmtree(folder, ignore_errors=True)
    return False


def write_site(root: Path, hospital: Hospital, *, noise: float, tested: int, seed: int) -> None:
    """One data root of a hospital's own studies and as many as ``tested`` of the same make."""
    learnt = replace(hospital, pairing_noise=noise)
    asked = replace(hospital, name=f"{hospital.name}-test", studies=tested)
    write_population(root, hospitals=(learnt, asked), seed=seed, image_size=IMAGE_SIZE)
    manifest = root / "manifest.csv"
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["split"] = "test" if row["site"] == asked.name else "train" if row["split"] == "train" else "valid"
    write_rows(manifest, rows)


def write_rows(manifest: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A manifest of these rows."""
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def real(folder: Path, source: Path, *, fold: int, folds: int = FOLDS) -> DataSet:
    """The five natural sites of real pairs; the patients of one fold are tested on, a fifth of the others validate.

    By patient and for each site on its own; the folds of a site are drawn once. The pictures are copied below
    ``folder``, which must lie outside the project. Written once; a folder that is complete is read.
    """
    with (source / "pairs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names, asked = sorted({row["site"] for row in rows}), asked_of_real(source, fold=fold, folds=folds)
    if not complete(folder, asked):
        for name in names:
            write_real_site(folder / name, source, [row for row in rows if row["site"] == name], fold=fold, folds=folds)
        (folder / DONE).write_text(json.dumps(asked))
    return DataSet({name: folder / name for name in names}, {}, key_of(asked))


def asked_of_real(source: Path, *, fold: int, folds: int = FOLDS) -> dict[str, Any]:
    """All that decides the data of :func:`real`, but for the code that splits them and the pictures themselves."""
    pairs = sha256((source / "pairs.csv").read_bytes()).hexdigest()
    return {"fold": fold, "folds": folds, "valid_share": VALID_SHARE, "pairs": pairs}


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
