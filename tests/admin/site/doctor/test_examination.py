from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from admin.site.doctor.doctor_check import ERROR, SEVERITIES
from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.examination import CHECKS, checks_fired, examine, has_error
from admin.twin.faults.bad_hospital import AS_A_WHOLE, EXCLUDED
from admin.twin.faults.planted import FAULTS
from fedaid.data.unusable import REMEDIES
from tests.admin.site.doctor.bad_hospitals import fired_on_bad_hospitals
from tests.admin.site.doctor.conftest import Visit
from tests.catalogue.run import ROOT, bound, permissions_bind

CAUGHT = {
    "formula-cell": "formula-cell",
    "contradicted-view": "view-contradiction",
    "unlabelled": "partly-labelled",
    "missing-patient": "missing-identifier",
    "unknown-split": "unknown-split",
    "latin1-manifest": "manifest-malformed",
    "windows-path": "windows-path",
    "path-in-capitals": "path-case",
    "respelt-patient": "patient-spelling",
    "two-report-columns": "manifest-columns",
    "image-in-two-splits": "image-across-splits",
    "coloured-image": "image-colour",
    "strip-image": "image-aspect",
    "other-modality": "modality",
    "for-processing": "for-processing",
    "child": "children",
    "polarity-contradiction": "polarity-contradiction",
    "decimal-comma": "tags-ignored",
    "oblong-pixels": "pixels-not-square",
    "declared-lateral": "lateral-views",
    "large-file": "large-files",
    "garbled-report": "report-garbled",
    "short-report": "report-short",
    "long-report": "report-long",
    "oversized-report": "report-unreadable",
    "markup-report": "report-markup",
    "document-report": "report-markup",
    "path-outside-root": "image-outside-root",
    "tiny-validation-split": "small-held-out",
    "duplicate-image": "duplicate-image",
    "inverted-image": "image-inverted",
    "sideways-image": "image-sideways",
    "upside-down-image": "image-upside-down",
    "mirrored-image": "image-mirrored",
    "constant-image": "image-constant",
    "saturated-image": "image-clipped",
    "tiny-image": "image-tiny",
    "lateral-image": "unlike-chest",
    "wrong-body-part": "body-part",
    "several-frames": "image-multiframe",
    "huge-image": "image-too-large",
    "missing-window": "missing-window",
    "missing-photometric": "image-photometric",
    "missing-image": "image-missing",
    "truncated-pixels": "image-unreadable",
    "text-as-image": "image-unreadable",
    "empty-file": "image-unreadable",
    "preamble-only": "image-unreadable",
    "symlink-out-of-root": "image-outside-root",
    "fifo": "image-missing",
    "unreadable-file": "image-unreadable",
    "newline-in-name": "odd-file-name",
    "undecodable-name": "image-missing",
    "missing-report": "report-missing",
    "report-without-study": "stray-reports",
    "duplicate-report": "duplicate-report",
    "report-of-another-study": "report-contradicts-labels",
    "empty-report": "report-empty",
    "boilerplate-report": "report-boilerplate",
    "header-only-report": "report-headings-only",
    "foreign-language-report": "report-language",
    "truncated-report": "report-truncated",
    "latin1-report": "report-unreadable",
    "utf16-report": "report-unreadable",
    "nul-bytes-report": "report-control-characters",
    "declared-burned-in": "declared-burned-in",
    "burned-in-text": "burned-in-text",
    "identifiers-in-report": "identifiers-in-report",
    "identifiers-in-file-name": "identifiers-in-file-name",
    "duplicate-study": "duplicate-study",
    "patient-in-two-splits": "patient-overlap",
}
INVERTED_TOO = {"lateral-image"}
"""Painted into a file of MONOCHROME1 it is inverted, and told as that, which is as true."""
NEVER_READ = {"identifiers-in-private-tag", "identifiers-in-sequence", "identifiers-in-overlay"}
NOT_FOR_ROOT = {"unreadable-file"} if os.geteuid() == 0 else set()


def test_every_fault_has_its_check() -> None:
    assert set(CAUGHT) | NEVER_READ == set(FAULTS)
    assert set(CAUGHT.values()) <= {check.name for check in CHECKS}


@pytest.mark.parametrize("fault", sorted(set(CAUGHT) - NOT_FOR_ROOT))
def test_the_check_of_a_fault_flags_the_studies_that_have_it(fault: str, spoilt: Visit) -> None:
    checks = {CAUGHT[fault]} | ({"image-inverted"} if fault in INVERTED_TOO else set())
    found = [spoilt.fired[check].found for check in checks if check in spoilt.fired]
    flagged = {case.name for one in found for case in one.cases} | {
        Path(name).stem for one in found for name in one.files
    }
    assert spoilt.planted[fault]
    assert set(spoilt.planted[fault]) <= flagged or any(one.whole for one in found)


def test_every_check_has_what_makes_it_fire_in_one_place() -> None:
    assert {check.name for check in CHECKS} == {*CAUGHT.values(), *AS_A_WHOLE, *EXCLUDED}
    assert not set(AS_A_WHOLE) & set(EXCLUDED)
    assert not set(CAUGHT.values()) & {*AS_A_WHOLE, *EXCLUDED}


@pytest.mark.slow
def test_every_check_fires_on_the_bad_hospital_or_where_it_is_excluded_there_on_the_bad_practice(
    tmp_path: Path,
) -> None:
    fired = fired_on_bad_hospitals(tmp_path, seed=0)
    assert {check.name for check in CHECKS} - fired.hospital == set(EXCLUDED)
    assert set(EXCLUDED) <= fired.practice


@pytest.mark.slow
def test_a_file_without_permission_is_unreadable_to_a_process_that_permissions_bind(tmp_path: Path) -> None:
    hospitals, site = tmp_path / "mine.yml", tmp_path / "oak"
    hospitals.write_text("- {name: oak, studies: 100, like: larch-heart-centre}")
    for command in (
        ["twin", "--hospitals", str(hospitals), "--out", str(tmp_path), "--faults"],
        ["doctor", str(site)],
    ):
        subprocess.run([*bound(), sys.executable, "-m", "admin", *command], cwd=ROOT, capture_output=True, check=False)
    closed = [path.stem for path in (site / "images").iterdir() if path.lstat().st_mode & 0o777 == 0]
    checks = json.loads((site / "doctor" / "private" / "doctor.json").read_text())["checks"]
    (places,) = (check["places"] for check in checks if check["name"] == "image-unreadable")
    assert len(closed) == int(permissions_bind())  # a root without setpriv reads every file
    assert all(any(name in place for place in places) for name in closed)


SMALL = {"letters-not-looked-for"}
"""Fires, rightly, for films of 96 pixels."""


def test_a_healthy_hospital_has_no_error_and_few_false_alarms(healthy: Visit) -> None:
    assert not has_error(healthy.results)
    assert set(healthy.fired) <= {"photometric-mix", "duplicate-report", "image-mirrored", *SMALL}
    false_alarms = sum(
        result.found.count for name, result in healthy.fired.items() if name not in {"photometric-mix", *SMALL}
    )
    assert false_alarms <= 3


def test_a_spoilt_hospital_has_errors(spoilt: Visit) -> None:
    assert has_error(spoilt.results)


def test_the_checks_that_fire_are_counted(spoilt: Visit) -> None:
    fired = checks_fired(spoilt.root)
    assert fired == {name: result.found.count for name, result in spoilt.fired.items()}
    assert len(fired) >= 50
    assert fired["image-multiframe"] == 1


def fired_on(**faults: str) -> set[str]:
    """The checks that flag a site's only study."""
    case = Case(1, "s1", "p1", {}, "train", (), report="" if "report_fault" in faults else None, **faults)
    return {result.check.name for result in examine(Evidence((), (case,))) if case in result.found.cases}


@pytest.mark.parametrize("code", REMEDIES)
def test_every_reason_to_leave_a_study_out_has_a_check_of_its_own(code: str) -> None:
    flagged = fired_on(**{f"{code.partition('-')[0]}_fault": code})
    assert flagged - fired_on() - {"pairing-rate"}


def test_the_page_of_the_doctor_lists_every_check() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (error|warning|note)(, screen)? \|$", page, re.MULTILINE)
    checks = [(one.name, one.title, one.severity, ", screen" if one.screen else "") for one in CHECKS]
    assert sorted(rows) == sorted(checks)


def test_there_are_many_checks_with_names_of_their_own_and_words_for_a_person() -> None:
    assert len(CHECKS) >= 60
    assert len({check.name for check in CHECKS}) == len({check.title for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", check.name)
        assert check.severity in SEVERITIES
        assert check.meaning.endswith(".")
        assert check.remedy.endswith((".", "?"))


def test_a_screen_alone_is_no_error_but_for_a_picture_on_two_sides_of_the_split() -> None:
    assert [check.name for check in CHECKS if check.screen and check.severity == ERROR] == ["image-across-splits"]
