from __future__ import annotations

import numpy as np
import pytest

from admin.twin.faults.header_faults import TAG_FAULTS
from tests.admin.twin.bad_site import BadSite, read_rows


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
