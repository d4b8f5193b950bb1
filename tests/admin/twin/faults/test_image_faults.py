from __future__ import annotations

import numpy as np
import pytest

from admin.twin.faults.file_faults import FILE_FAULTS
from admin.twin.faults.image_faults import IMAGE_FAULTS, knee
from fedaid.data.pixels.dicom import read_dicom
from tests.admin.twin.bad_site import BadSite

STILL_READABLE = {
    "duplicate-image",
    "inverted-image",
    "saturated-image",
    "tiny-image",
    "image-in-two-splits",
    "strip-image",
}


@pytest.mark.parametrize("fault", [*IMAGE_FAULTS, *FILE_FAULTS])
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
