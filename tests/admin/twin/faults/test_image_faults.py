from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from admin.twin.faults.image_faults import IMAGE_FAULTS, knee
from fedaid.data.pixels.dicom import read_dicom
from tests.admin.twin.bad_site import BadSite, read_rows

Check = Callable[[BadSite, str], bool]


def pixels(site: BadSite, study: str, *, before: bool = False) -> np.ndarray:
    return site.film(study, before=before).pixel_array.astype(int)


def is_duplicate(site: BadSite, study: str) -> bool:
    return Counter(site.contents)[site.image(study).read_bytes()] == 2


def is_in_two_splits(site: BadSite, study: str) -> bool:
    content = site.image(study).read_bytes()
    rows = [row for row in read_rows(site.healthy) if site.image(row["study_id"], before=True).read_bytes() == content]
    return [row["split"] for row in rows] == ["train"] and site.row(study)["split"] == "test"


def is_coloured(site: BadSite, study: str) -> bool:
    found = pixels(site, study)
    return found.shape[2:] == (3,) and int(np.ptp(found, axis=2).max()) > 100


def is_turned(turn: Callable[[np.ndarray], np.ndarray]) -> Check:
    return lambda site, study: np.array_equal(turn(pixels(site, study)), pixels(site, study, before=True))


def is_inverted(site: BadSite, study: str) -> bool:
    shown, before = read_dicom(site.image(study)), read_dicom(site.image(study, before=True))
    return bool(np.corrcoef(shown.ravel(), before.ravel())[0, 1] < -0.99)


def is_saturated(site: BadSite, study: str) -> bool:
    found = pixels(site, study)
    extremes = np.isin(found, (0, 2 ** site.film(study).BitsStored - 1)).mean()
    return bool(extremes > 0.7)


def is_unlike_a_frontal_chest(site: BadSite, study: str) -> bool:
    frontal = [read_dicom(path) for path in sorted((site.healthy / "images").iterdir())[:40]]
    mean = np.mean(frontal, axis=0)
    likeness = [np.corrcoef(mean.ravel(), image.ravel())[0, 1] for image in frontal]
    return bool(np.corrcoef(mean.ravel(), read_dicom(site.image(study)).ravel())[0, 1] < min(likeness) - 0.2)


CHECKS: dict[str, Check] = {
    "duplicate-image": is_duplicate,
    "image-in-two-splits": is_in_two_splits,
    "inverted-image": is_inverted,
    "sideways-image": is_turned(lambda image: np.rot90(image, -1)),
    "upside-down-image": is_turned(np.flipud),
    "mirrored-image": is_turned(np.fliplr),
    "constant-image": lambda site, study: int(np.ptp(pixels(site, study))) == 0,
    "saturated-image": is_saturated,
    "tiny-image": lambda site, study: max(pixels(site, study).shape) < 16,
    "lateral-image": is_unlike_a_frontal_chest,
    "wrong-body-part": lambda site, study: (
        site.film(study).BodyPartExamined != "CHEST" and is_unlike_a_frontal_chest(site, study)
    ),
    "coloured-image": is_coloured,
    "strip-image": lambda site, study: pixels(site, study).shape[1] > 5 * pixels(site, study).shape[0],
    "several-frames": lambda site, study: pixels(site, study).ndim == 3,
}
STILL_READABLE = {
    "duplicate-image",
    "inverted-image",
    "saturated-image",
    "tiny-image",
    "image-in-two-splits",
    "strip-image",
}


@pytest.mark.parametrize("fault", IMAGE_FAULTS)
def test_the_fault_is_really_there(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies
    assert all(CHECKS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", CHECKS)
def test_the_check_does_not_fire_on_sound_studies(bad_site: BadSite, fault: str) -> None:
    assert not any(CHECKS[fault](bad_site, study) for study in bad_site.sound[:8])


@pytest.mark.parametrize("fault", IMAGE_FAULTS)
def test_the_report_of_the_study_is_as_it_was(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.report(study) == bad_site.report(study, before=True)


@pytest.mark.parametrize("fault", sorted(STILL_READABLE))
def test_what_is_wrong_only_to_the_eye_can_be_read(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert read_dicom(bad_site.image(study)).max() == 1.0


@pytest.mark.parametrize("fault", ["inverted-image", "sideways-image", "mirrored-image", "upside-down-image"])
def test_repainting_changes_no_tag(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        films = bad_site.film(study), bad_site.film(study, before=True)
        for film in films:
            del film.PixelData
        assert films[0] == films[1]


def test_a_knee_has_a_gap_between_its_bones() -> None:
    image = knee(96, np.random.default_rng(0))
    assert image[48, 48] < 0.5 < image[20, 48]
    assert image[75, 48] > 0.5
