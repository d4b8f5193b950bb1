from __future__ import annotations

from admin.site.doctor.doctor_check import Found, above, image_fault, report_fault, where
from tests.admin.site.doctor.evidence_of import case, site


def test_a_look_finds_the_studies_for_which_its_test_holds() -> None:
    found = where(lambda one: one.line > 2)(site(case(2), case(3)))
    assert ([one.line for one in found.cases], found.of, found.fired, found.count) == ([3], 2, True, 1)


def test_a_share_fires_above_its_limit_only() -> None:
    look = above(lambda one: one.line > 2, 0.5)
    assert not look(site(case(2), case(3))).fired
    assert look(site(case(3), case(4), case(2))).fired


def test_faults_are_found_by_their_reason() -> None:
    evidence = site(case(2, image_fault="image-colour"), case(3, report=None, report_fault="report-missing"), case(4))
    assert [one.line for one in image_fault("image-colour", "image-constant")(evidence).cases] == [2]
    assert [one.line for one in report_fault("report-missing")(evidence).cases] == [3]


def test_what_fires_without_a_study_concerns_the_site() -> None:
    assert Found(fired=True).whole
    assert Found(fired=True).count == 1
    assert not Found(fired=True, detail={"code": 3}).whole
    assert Found(detail={"code": 3}).count == 3
    assert Found(files=("a", "b")).count == 2
