from __future__ import annotations

from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.flare.software.site_software import SiteSoftware
from fedaid.flare.software.software_report import LONGEST, UNKNOWN, read_report, software_report
from fedaid.package_hash import STATED

SAME = software_report()


@pytest.fixture
def software() -> SiteSoftware:
    found = SiteSoftware()
    found.note("site-a", SAME)
    return found


def test_a_report_has_the_code_the_versions_and_the_vocabulary() -> None:
    assert SAME.keys() == {"fedaid", "torch", "transformers", "nvflare", "numpy", "vocabulary"}
    assert all(SAME.values())
    assert len(SAME["fedaid"]) == len(SAME["vocabulary"]) == 64


@pytest.mark.parametrize("value", [None, "text", ["fedaid"], {"fedaid": 3}, {"fedaid": "a\nb"}, {"fedaid": ""}])
def test_what_a_site_does_not_report_as_a_short_text_is_not_reported(value: Any) -> None:
    assert read_report(value) == dict.fromkeys(SAME, UNKNOWN)


def test_a_report_holds_known_entries_of_bounded_length_only() -> None:
    found = read_report(SAME | {"torch": "9" * 1000, "patient": "Mrs Miller"})
    assert found.keys() == SAME.keys()
    assert len(found["torch"]) == LONGEST


def test_equal_software_has_no_difference(software: SiteSoftware) -> None:
    software.require_same_code()
    assert software.as_dict() == {"server": SAME, "sites": {"site-a": SAME}, "differences": []}


def test_another_version_is_named_once_and_is_no_error(software: SiteSoftware) -> None:
    lines = software.note("site-b", SAME | {"torch": "1.0", "vocabulary": "0a"})
    assert lines[0] == f"site-b has torch 1.0, the server {SAME['torch'][:12]}"
    assert lines[1].startswith("site-b has vocabulary 0a, the server ")
    assert software.note("site-b", SAME | {"torch": "1.0", "vocabulary": "0a"}) == []
    assert software.differences == lines
    software.require_same_code()


def test_other_code_is_refused_with_the_names_of_all_its_sites(software: SiteSoftware) -> None:
    software.note("site-c", SAME | {"fedaid": "7" * 64})
    software.note("site-b", None)
    text = rf"^code at site-b and site-c must be the server's, {SAME['fedaid'][:12]}, got not reported at site-b, "
    with pytest.raises(InputError, match=text + r"777777777777 at site-c: .* Remove fedaid from local/custom"):
        software.require_same_code()


def test_a_server_with_other_code_than_the_jobs_is_refused(software: SiteSoftware) -> None:
    software.of_job({"custom_props": {"fedaid_code": SAME["fedaid"][:STATED]}})
    software.require_code_of_job()
    software.of_job({"custom_props": {"fedaid_code": "7" * 64}})
    with pytest.raises(InputError, match=r"^code at server must be the job's, 777777777777, got "):
        software.require_code_of_job()


@pytest.mark.parametrize("meta", [None, {}, {"custom_props": None}, {"custom_props": {"fedaid_code": 3}}])
def test_a_job_that_does_not_state_its_code_is_not_compared(meta: Any, software: SiteSoftware) -> None:
    software.of_job(meta)
    software.require_code_of_job()
