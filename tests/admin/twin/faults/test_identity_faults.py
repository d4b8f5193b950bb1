from __future__ import annotations

import numpy as np
import pytest

from admin.twin.faults.identity_faults import CANARIES, IDENTITY_FAULTS
from tests.admin.twin.bad_site import BadSite


@pytest.mark.parametrize("fault", sorted(set(IDENTITY_FAULTS) - {"burned-in-text"}))
def test_the_picture_is_as_it_was(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert np.array_equal(bad_site.film(study).pixel_array, bad_site.film(study, before=True).pixel_array)


def test_a_canary_stands_in_as_many_files_as_were_planted_and_in_no_healthy_one(bad_site: BadSite) -> None:
    for fault, canary in CANARIES.items():
        if fault in ("burned-in-text", "identifiers-in-file-name"):
            continue
        found = [content for content in bad_site.contents if canary.encode() in content]
        assert len(found) == len(bad_site.planted[fault])
    whole = b"".join(path.read_bytes() for path in bad_site.healthy.rglob("*.*"))
    assert not [canary for canary in CANARIES.values() if canary.encode() in whole]
