from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from admin.twin.faults.identity_faults import CANARIES, IDENTITY_FAULTS
from fedaid.data.pixels.dicom import read_dicom
from tests.admin.twin.bad_site import BadSite

Check = Callable[[BadSite, str], bool]


def has_bright_strokes_in_its_corner(site: BadSite, study: str) -> bool:
    after, before = read_dicom(site.image(study)), read_dicom(site.image(study, before=True))
    changed = np.abs(after - before) > 0.2
    return 40 < changed.sum() < 1200 and changed[30:].sum() == 0 and bool((after[changed] > 0.95).all())


def is_nested(site: BadSite, study: str) -> bool:
    outer = site.film(study).get("RequestAttributesSequence") or []
    names = [str(inner.PatientName) for item in outer for inner in item.ReferencedPatientSequence]
    return names == [CANARIES["identifiers-in-sequence"]]


CHECKS: dict[str, Check] = {
    "declared-burned-in": lambda site, study: site.film(study).BurnedInAnnotation == "YES",
    "burned-in-text": has_bright_strokes_in_its_corner,
    "identifiers-in-report": lambda site, study: b"MRN 00482911" in site.report(study),
    "identifiers-in-private-tag": lambda site, study: any(
        element.tag.is_private and "Quillprivate" in str(element.value) for element in site.film(study)
    ),
    "identifiers-in-sequence": is_nested,
    "identifiers-in-overlay": lambda site, study: "Quilloverlay" in str(site.film(study).get((0x6000, 0x0022))),
    "identifiers-in-file-name": lambda site, study: (
        "QUILLFILE" in site.row(study)["image"]
        and site.image(study).read_bytes() == site.image(study, before=True).read_bytes()
    ),
}


@pytest.mark.parametrize("fault", IDENTITY_FAULTS)
def test_the_fault_is_really_there(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies
    assert all(CHECKS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", CHECKS)
def test_the_check_does_not_fire_on_sound_studies(bad_site: BadSite, fault: str) -> None:
    assert not any(CHECKS[fault](bad_site, study) for study in bad_site.sound[:8])


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
