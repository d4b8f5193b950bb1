"""``prepare`` on 462 real radiographs with real text; none of it is copied into the project."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from fedaid.data.manifest import Manifest, read_manifest
from fedaid.data.pixels.image import read_radiograph
from tests.catalogue.run import Prepared, prepare
from tests.catalogue.wrong_pairs import word
from tests.real_data import REAL_CXR, needs

pytestmark = [pytest.mark.slow, needs(REAL_CXR)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real_cxr")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (REAL_CXR / "pairs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def prepared(folder: Path, rows: list[dict[str, str]]) -> Prepared:
    """A site of all of them: the table is shuffled, keyed by file stem, and each text has a word of its own."""
    texts = [
        f"{word(n)}. {row['text']}\n{word(n)}" for n, row in enumerate(rows)
    ]  # the first or last part may be dropped
    lines = [(row["image"], row["patient"], row["labels"], text) for row, text in zip(rows, texts, strict=True)]
    random.Random(0).shuffle(lines)
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("image", "patient_id", "labels", "report"), *lines])
    return prepare(REAL_CXR / "images", folder / "reports.csv", folder / "site")


@pytest.fixture(scope="module")
def manifest(prepared: Prepared, folder: Path) -> Manifest:
    return read_manifest(folder / "site")


def test_every_real_pair_is_in_the_dataset_and_every_other_image_is_said_to_have_no_report(prepared: Prepared) -> None:
    assert (prepared.exit_code, prepared.studies) == (0, 462)
    assert prepared.quarantined == {"pair-no-report": 243}


def test_each_picture_stands_beside_its_own_text(manifest: Manifest, rows: list[dict[str, str]]) -> None:
    compared = 0
    pixels = np.load(manifest.studies[0].image, mmap_mode="r", allow_pickle=False)
    for study in manifest.studies:
        (number,) = (n for n in range(len(rows)) if word(n) in study.text)
        expected = read_radiograph(REAL_CXR / rows[number]["image"], pixels.shape[1]).astype(np.float16)
        np.testing.assert_array_equal(pixels[study.row], expected)
        assert "|".join(study.labels) == rows[number]["labels"]
        compared += 1
    assert compared == 462


def test_no_real_patient_is_in_two_splits(manifest: Manifest, rows: list[dict[str, str]]) -> None:
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for study in manifest.studies:
        (number,) = (n for n in range(len(rows)) if word(n) in study.text)
        splits[rows[number]["patient"]].add(study.split)
    assert len(splits) == len({row["patient"] for row in rows}) > 100
    assert {len(found) for found in splits.values()} == {1}
    sizes = Counter(study.split for study in manifest.studies)
    assert 0.6 < sizes["train"] / 462 < 0.8


def test_text_survives_the_scrubber_but_for_what_it_replaces(
    prepared: Prepared, manifest: Manifest, rows: list[dict[str, str]]
) -> None:
    assert sum(prepared.result["identifiers_replaced"].values()) < 100
    kept = sum(len(study.text.split()) for study in manifest.studies)
    assert kept > 0.8 * sum(len(row["text"].split()) for row in rows)
