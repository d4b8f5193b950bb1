from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


def test_too_many_unusable_rows_are_an_error_with_their_reasons() -> None:
    lost = [case(number, image_fault="image-missing") for number in (2, 3, 4)]
    assert not look("pairing-rate", site(*lost, sound=12)).fired
    found = look("pairing-rate", site(*lost, sound=11))
    assert (found.fired, found.count, found.of, found.detail) == (True, 3, 14, {"image-missing": 3})


def test_a_code_of_the_quarantine_that_is_not_known_is_not_shown() -> None:
    found = look("quarantined", site(quarantined={"image-colour": 2, "=evil": 1}))
    assert found.detail == {"another code": 1, "image-colour": 2}


@pytest.mark.parametrize("reason", ["image-missing", "image-outside-root"])
def test_a_missing_image_has_its_check(reason: str) -> None:
    assert fires_for(reason, case(2), case(3, image_fault=reason)) == [3]


@pytest.mark.parametrize("reason", ["report-missing", "report-outside-root"])
def test_a_missing_report_has_its_check(reason: str) -> None:
    assert fires_for("report-missing", case(2), case(3, report=None, report_fault=reason)) == [3]


def test_strays_are_files_without_a_study() -> None:
    evidence = site(case(), stray_images=("images/x",), stray_reports=("a.txt", "b.txt"))
    assert look("stray-images", evidence).files == ("images/x",)
    assert look("stray-reports", evidence).count == 2
    assert not look("stray-images", site(case())).fired
