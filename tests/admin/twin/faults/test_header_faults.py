from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from admin.twin.faults.header_faults import TAG_FAULTS
from fedaid.data.header.pixel_tags import pixel_tags
from tests.admin.twin.bad_site import BadSite, read_rows

Check = Callable[[BadSite, str], bool]

CHECKS: dict[str, Check] = {
    "huge-image": lambda site, study: site.film(study).Rows * site.film(study).Columns > 64_000_000,
    "missing-window": lambda site, study: "WindowCenter" not in site.film(study),
    "missing-photometric": lambda site, study: "PhotometricInterpretation" not in site.film(study),
    "other-modality": lambda site, study: site.film(study).Modality == "MG",
    "for-processing": lambda site, study: site.film(study).PresentationIntentType == "FOR PROCESSING",
    "child": lambda site, study: int(site.film(study).PatientAge[:3]) < 16,
    "polarity-contradiction": lambda site, study: pixel_tags(site.film(study)).contradicts_polarity,
    "decimal-comma": lambda site, study: "WindowWidth" in pixel_tags(site.film(study)).ignored,
    "oblong-pixels": lambda site, study: round(pixel_tags(site.film(study)).pixel_height, 6) == 1.5,
    "declared-lateral": lambda site, study: site.film(study).ViewPosition == site.row(study)["view"] == "LL",
}


@pytest.mark.parametrize("fault", TAG_FAULTS)
def test_the_fault_is_really_there(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies
    assert all(CHECKS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", CHECKS)
def test_the_check_does_not_fire_on_sound_studies(bad_site: BadSite, fault: str) -> None:
    assert not any(CHECKS[fault](bad_site, study) for study in bad_site.sound[:8])


@pytest.mark.parametrize("fault", sorted(set(TAG_FAULTS) - {"declared-lateral"}))
def test_only_the_header_is_changed(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.film(study).PixelData == bad_site.film(study, before=True).PixelData
        assert bad_site.report(study) == bad_site.report(study, before=True)


def test_a_declared_lateral_shows_another_picture(bad_site: BadSite) -> None:
    for study in bad_site.planted["declared-lateral"]:
        shown, before = (bad_site.film(study, before=before).pixel_array for before in (False, True))
        assert shown.shape == before.shape
        assert not np.array_equal(shown, before)


def test_no_healthy_file_lacks_a_tag_that_a_fault_takes(bad_site: BadSite) -> None:
    for row in read_rows(bad_site.healthy):
        assert {"WindowCenter", "PhotometricInterpretation"} <= set(bad_site.film(row["study_id"], before=True).dir())
