"""What the doctor says of real radiographs and of real DICOM files, where it is known what is true."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from admin.site.doctor.checks.likeness_checks import MARGIN
from admin.site.doctor.collection import collect
from admin.site.doctor.examination import Result, examine
from admin.site.films.chest_template import pose_of
from admin.site.films.picture_edges import without_bands, without_padding
from fedaid.data.pixels.image import read_radiograph
from tests.real_data import REAL_CXR, REAL_DICOM, present

FRONTAL = ("PA", "AP", "AP Supine")
pytestmark = pytest.mark.slow


def written(folder: Path, images: Sequence[tuple[Path, str, str, str]]) -> Path:
    """A site of images, each with its report, patient and view."""
    (folder / "images").mkdir(parents=True)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        manifest = csv.writer(file)
        manifest.writerow(["study_id", "patient_id", "image", "report", "view"])
        for number, (image, text, patient, view) in enumerate(images):
            shutil.copy(image, folder / "images")
            manifest.writerow([f"study-{number}", patient, f"images/{image.name}", text, view])
    return folder


def said_of(site: Path, folder: Path) -> dict[str, Result]:
    """Check → its result."""
    return {result.check.name: result for result in examine(collect(site, folder).evidence)}


def files(result: Result) -> set[str]:
    """The names of the images for which a check fires."""
    return {Path(case.image).name for case in result.found.cases}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What the doctor says of all real films, frontal and lateral ones as one site."""
    rows, folder = [], present(REAL_CXR)
    for table in ("pairs.csv", "pairs_templated.csv"):
        with (folder / table).open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    images = [(folder / row["image"], row["text"], row["patient"], row["view"]) for row in rows]
    folder = tmp_path_factory.mktemp("films")
    return said_of(written(folder / "site", images), folder)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """What the doctor says of the real DICOM files as one site."""
    found = sorted(present(REAL_DICOM).glob("*.dcm"))
    folder = tmp_path_factory.mktemp("objects")
    return said_of(
        written(folder / "site", [(file, "The lungs are clear.", file.name[:2], "") for file in found]), folder
    )


def test_hardly_a_real_film_is_said_to_lie_wrong(films: dict[str, Result]) -> None:
    turned = [films[name] for name in ("image-inverted", "image-sideways", "image-upside-down")]
    assert sum(result.found.count for result in turned) <= 5
    assert films["image-sideways"].found.of == 705


@pytest.mark.parametrize(
    ("way", "turn"),
    [("sideways", np.rot90), ("upside_down", np.flipud), ("inverted", lambda film: 1 - film)],
    ids=["sideways", "upside down", "inverted"],
)
def test_nearly_every_real_frontal_film_that_is_turned_is_found(
    way: str, turn: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> None:
    with (present(REAL_CXR) / "pairs.csv").open(encoding="utf-8", newline="") as file:
        frontal = [row["image"] for row in csv.DictReader(file) if row["view"] in FRONTAL][::4]
    seen = [without_padding(read_radiograph(REAL_CXR / image, 64)) for image in frontal]
    found = [pose_of(without_bands(np.ascontiguousarray(turn(film)))).lies(way, margin=MARGIN) for film in seen]
    assert len(found) > 50
    assert np.mean(found) > 0.92


def test_views_from_the_side_that_the_manifest_names_are_told(films: dict[str, Result]) -> None:
    assert films["lateral-views"].found.count == 42


def test_hardly_a_real_film_is_suspected_of_a_name(films: dict[str, Result]) -> None:
    assert films["letters-not-looked-for"].found.count == 0
    assert films["burned-in-text"].found.count <= 15


def test_every_real_film_can_be_read(films: dict[str, Result]) -> None:
    assert films["pairing-rate"].found.count == 0


@pytest.mark.parametrize(
    ("check", "numbers"),
    [
        ("image-multiframe", {"13"}),
        ("image-unreadable", {"15"}),
        ("modality", {"10", "13", "14", "15"}),
        ("body-part", {"10", "11", "12"}),
        ("photometric-mix", {"01", "02", "03", "04", "07", "08", "09", "11", "12"}),
        ("declared-burned-in", set()),
    ],
)
def test_of_the_real_dicom_files_the_right_ones_are_found(
    check: str, numbers: set[str], objects: dict[str, Result]
) -> None:
    assert {name[:2] for name in files(objects[check])} == numbers


def test_one_radiograph_in_two_compressions_is_one_picture(objects: dict[str, Result]) -> None:
    assert {"02", "03"} <= {name[:2] for name in files(objects["duplicate-image"])}


def test_of_the_real_chests_only_that_with_a_falsified_tag_lies_wrong(objects: dict[str, Result]) -> None:
    chests = {"01", "02", "03", "04", "05", "06", "07"}
    assert {name[:2] for name in files(objects["image-inverted"])} & chests == {"07"}
    for check in ("image-sideways", "image-upside-down", "image-mirrored", "unlike-chest"):
        assert not {name[:2] for name in files(objects[check])} & chests
