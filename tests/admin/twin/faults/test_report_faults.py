from __future__ import annotations

import pytest

from admin.twin.faults.report_faults import REPORT_FAULTS
from fedaid.data.report.sections import sections
from tests.admin.twin.bad_site import BadSite


@pytest.mark.parametrize("fault", sorted(set(REPORT_FAULTS) - {"report-without-study"}))
def test_the_image_of_the_study_is_as_it_was(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.image(study).read_bytes() == bad_site.image(study, before=True).read_bytes()


def test_healthy_reports_pass_every_check_of_content(bad_site: BadSite) -> None:
    for study in bad_site.sound:
        text = bad_site.report(study).decode()
        assert sections(text).findings
        assert "\0" not in text
        assert " kein " not in text.lower()


def test_a_mismatched_report_shares_no_label_with_its_image(bad_site: BadSite) -> None:
    studies = bad_site.planted["report-of-another-study"]
    for one, other in zip(studies[::2], studies[1::2], strict=True):
        labels = [set(bad_site.row(study)["labels"].split("|")) for study in (one, other)]
        assert not labels[0] & labels[1]
