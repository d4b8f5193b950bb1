from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from admin.twin.faults.report_faults import REPORT_FAULTS
from fedaid.data.report.sections import report_text, sections
from tests.admin.twin.bad_site import BadSite, read_rows

Check = Callable[[BadSite, str], bool]


def is_missing(site: BadSite, study: str) -> bool:
    return not (site.spoilt / site.row(study)["report_path"]).exists()


def is_stray(site: BadSite, study: str) -> bool:
    named = {row["report_path"] for row in read_rows(site.spoilt)}
    return f"reports/{study}.txt" not in named and (site.spoilt / "reports" / f"{study}.txt").is_file()


def is_duplicate(site: BadSite, study: str) -> bool:
    texts = Counter(path.read_bytes() for path in (site.spoilt / "reports").iterdir())
    return texts[site.report(study)] >= 2 and site.report(study) != site.report(study, before=True)


def is_of_another(site: BadSite, study: str) -> bool:
    others = {row["study_id"]: site.report(row["study_id"], before=True) for row in read_rows(site.healthy)}
    own = others.pop(study)
    return site.report(study) in others.values() and site.report(study) != own


def is_cut_within_a_word(site: BadSite, study: str) -> bool:
    text, whole = site.report(study).decode(), site.report(study, before=True).decode()
    return whole.startswith(text) and text[-1].isalpha() and whole[len(text)].isalpha()


def has_headings_only(site: BadSite, study: str) -> bool:
    return b":" in site.report(study) and not report_text(site.report(study).decode())


def is_not_utf8(site: BadSite, study: str) -> bool:
    try:
        site.report(study).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


CHECKS: dict[str, Check] = {
    "missing-report": is_missing,
    "report-without-study": is_stray,
    "duplicate-report": is_duplicate,
    "report-of-another-study": is_of_another,
    "empty-report": lambda site, study: site.report(study) == b"",
    "boilerplate-report": lambda site, study: b"FINDINGS" not in site.report(study).upper(),
    "header-only-report": has_headings_only,
    "foreign-language-report": lambda site, study: " kein " in site.report(study).decode().lower(),
    "truncated-report": is_cut_within_a_word,
    "latin1-report": lambda site, study: is_not_utf8(site, study) and "°" in site.report(study).decode("latin-1"),
    "utf16-report": lambda site, study: is_not_utf8(site, study) and "FINDINGS" in site.report(study).decode("utf-16"),
    "garbled-report": lambda site, study: "Ã©" in site.report(study).decode(),
    "short-report": lambda site, study: len(report_text(site.report(study).decode()).split()) == 1,
    "long-report": lambda site, study: len(site.report(study).split()) > 400,
    "oversized-report": lambda site, study: len(site.report(study)) > 1 << 20,
    "markup-report": lambda site, study: b"<br>" in site.report(study),
    "document-report": lambda site, study: site.report(study).startswith(b"{\\rtf"),
    "nul-bytes-report": lambda site, study: b"\0" in site.report(study),
}  # fmt: skip


@pytest.mark.parametrize("fault", REPORT_FAULTS)
def test_the_fault_is_really_there(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies
    assert all(CHECKS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", CHECKS)
def test_the_check_does_not_fire_on_sound_studies(bad_site: BadSite, fault: str) -> None:
    assert not any(CHECKS[fault](bad_site, study) for study in bad_site.sound[:8])


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
