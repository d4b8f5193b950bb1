from __future__ import annotations

from dataclasses import replace

from admin.site.doctor.doctor_check import SEVERITIES
from admin.site.doctor.doctor_page import shareable_page
from admin.site.doctor.examination import CHECKS, examine
from admin.site.doctor.outcome import Outcome, private_outcome, shareable_outcome
from admin.site.doctor.plain_text import as_text
from tests.admin.site.doctor.evidence_of import case, site

EVIDENCE = site(case(2, image_fault="image-missing"), sound=30, refusal="study_id must be unique: lines 3, 4")


def outcome(*, private: bool) -> Outcome:
    make = private_outcome if private else shareable_outcome
    return make(EVIDENCE, examine(EVIDENCE), least=5)


def test_the_private_one_has_exact_counts_and_places() -> None:
    told = outcome(private=True)
    (missing,) = (one for one in told.findings if one.check.name == "image-missing")
    assert (told.studies, told.usable) == ("31", "30")
    assert missing.amount == "1 of 31"
    assert missing.places == ("line 2: study-2 images/2.dcm",)


def test_the_shareable_one_has_rounded_counts_and_no_places() -> None:
    told = outcome(private=False)
    assert (told.studies, told.usable) == ("30", "30")
    assert {one.places for one in told.findings} == {()}
    assert {one.said for one in told.findings} == {""}
    (missing,) = (one for one in told.findings if one.check.name == "image-missing")
    assert missing.amount == "<5 of 30"


def test_what_fired_comes_first_by_severity() -> None:
    told = outcome(private=True)
    assert len(told.findings) == len(told.fired) + len(told.passed) + len(told.blind) == len(CHECKS)
    severities = [one.check.severity for one in told.fired]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert sum(told.severities.values()) == len(told.fired)


def test_a_check_of_the_whole_site_has_no_count() -> None:
    (refused,) = (one for one in outcome(private=False).findings if one.check.name == "manifest-refused")
    assert (refused.fired, refused.count, refused.amount) == (True, "", "the site as a whole")


def test_a_check_that_had_nothing_to_look_at_did_not_pass() -> None:
    pictures = site(case(2, header=None, letters=None))
    pictures = replace(pictures, cases=tuple(replace(one, header=None, size=0) for one in pictures.cases))
    told = shareable_outcome(pictures, examine(pictures), least=5)
    blind = {one.check.name for one in told.blind}
    assert {"burned-in-text", "declared-burned-in", "modality", "large-files"} <= blind
    assert not blind & {one.check.name for one in told.passed}
    assert "Not checked" in as_text(told)
    assert "Not checked" in shareable_page(told)
    assert outcome(private=True).blind == [
        one for one in outcome(private=True).findings if one.check.name == "large-files"
    ]
