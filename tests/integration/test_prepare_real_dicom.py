"""``prepare`` on 15 real DICOM files: what is used, what is refused and why, and which way round grey values end up."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Container
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.data.manifest import read_manifest
from tests.catalogue.canaries import scan
from tests.catalogue.run import Prepared, by_code, prepare
from tests.catalogue.wrong_pairs import word
from tests.real_data import REAL_DICOM, needs

WITHOUT_PATIENT = 1
CHESTS = (1, 2, 4, 5, 6)
pytestmark = [pytest.mark.slow, needs(REAL_DICOM)]


def site_of(folder: Path, numbers: Container[int], *, unreported: Container[int] = ()) -> Prepared:
    """Prepare these files, each with a report under its name that ends with a word of its own, but for some."""
    (folder / "images").mkdir(parents=True)
    rows = [("image", "patient_id", "report")]
    for path in sorted(REAL_DICOM.glob("*.dcm")):
        number = int(path.name[:2])
        if number in numbers:
            shutil.copy(path, folder / "images")
            patient = "without a PatientID" if number == WITHOUT_PATIENT else ""
            if number not in unreported:
                rows.append((path.name, patient, f"IMPRESSION: A study, {word(number)}."))
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return prepare(folder / "images", folder / "reports.csv", folder / "site")


def pictures(folder: Path) -> dict[int, NDArray[np.float64]]:
    """File → its picture in the prepared site, (S, S)."""
    studies = read_manifest(folder / "site").studies
    pixels = np.load(studies[0].image, mmap_mode="r", allow_pickle=False)
    return {
        number: np.asarray(pixels[study.row], dtype=np.float64)
        for study in studies
        for number in range(16)
        if word(number) in study.text
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real_dicom")


@pytest.fixture(scope="module")
def everything(folder: Path) -> Prepared:
    return site_of(folder / "all", range(1, 16))


@pytest.fixture(scope="module")
def chests(folder: Path) -> dict[int, NDArray[np.float64]]:
    site_of(folder / "chests", CHESTS)
    return pictures(folder / "chests")


def test_all_transfer_syntaxes_of_the_table_are_used(everything: Prepared, folder: Path) -> None:
    assert everything.exit_code == 0
    assert sorted(pictures(folder / "all")) == [1, 4, 6, 8, 9, 11, 12]


def test_each_file_that_is_left_out_has_its_reason(everything: Prepared, folder: Path) -> None:
    found = by_code(folder / "all" / "site" / "quarantine.csv")
    assert {code: [name[:2] for name in names] for code, names in found.items()} == {
        "pair-ambiguous": ["02", "05", "re", "re", "re", "re"],  # two files each of one study, with two reports
    }
    assert everything.result["not_radiographs"] == {"CT": 1, "MG": 1, "MR": 1, "XA": 1}
    assert everything.result["reports_of_other_examinations"] == 4


def test_dense_is_bright_whatever_the_photometric_interpretation(chests: dict[int, NDArray[np.float64]]) -> None:
    assert sorted(chests) == list(CHESTS)
    assert {number: lungs_are_dark(picture) for number, picture in chests.items()} == dict.fromkeys(CHESTS, True)


def test_a_falsified_tag_is_obeyed_and_gives_the_negative(chests: dict[int, NDArray[np.float64]], folder: Path) -> None:
    site_of(folder / "false", (7,))
    false = pictures(folder / "false")[7]
    assert not lungs_are_dark(false)
    inner = (slice(2, -2), slice(2, -2))  # the smoothing of a resize, MONAI's, darkens a frame of one pixel
    np.testing.assert_allclose(false[inner], 1 - chests[5][inner], atol=2e-3)


def test_two_files_of_one_instance_of_which_one_was_changed_are_not_chosen_between(folder: Path) -> None:
    done = site_of(folder / "torn", (4, 5, 7), unreported=(7,))
    assert (done.studies, done.quarantined) == (1, {"image-conflict": 1})


def lungs_are_dark(picture: NDArray[np.float64]) -> bool:
    """Whether the middle of a frontal chest, with spine and heart, is brighter than what lies to its sides."""
    rows = slice(round(0.3 * len(picture)), round(0.6 * len(picture)))
    middle, *sides = (
        picture[rows, round(left * len(picture)) : round(right * len(picture))].mean()
        for left, right in ((0.45, 0.6), (0.2, 0.35), (0.68, 0.8))
    )
    return bool(middle > max(sides))


def test_no_identifier_of_the_files_is_in_the_site(everything: Prepared, folder: Path) -> None:
    known = ("FAKE-ACC", "FAKE-04", "9RG1", "11RG3", "556342B", "16d7f894-55d7", "c64d5667-a776", "1.2.276.0.7230010")
    assert {hit.canary for hit in scan(folder / "all" / "images", known)} == set(known)
    assert scan(folder / "all" / "site", known) == []
