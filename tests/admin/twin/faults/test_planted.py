from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.consortium import write_consortium
from admin.twin.faults.manifest_faults import MANIFEST_FAULTS, SPELLING_FAULTS, WHOLE_MANIFEST_FAULTS
from admin.twin.faults.planted import FAULTS, REASONS, plant_faults
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from fedaid.data.cache import cached_images
from fedaid.data.manifest import read_manifest
from fedaid.data.unusable import REMEDIES
from fedaid.errors import InputError
from tests.admin.twin.bad_site import COPIES, BadSite, make_bad_site, read_rows
from tests.admin.twin.faults.fault_proofs import PROOFS

MADE_BY_TWO = {"report-of-another-study"}
NOT_FOR_ROOT = {"unreadable-file"} if os.geteuid() == 0 else set()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_fault_is_planted_as_often_as_said(bad_site: BadSite) -> None:
    expected = {name: COPIES for name in FAULTS if name not in WHOLE_MANIFEST_FAULTS}
    expected |= dict.fromkeys(MADE_BY_TWO, 2 * COPIES) | {"tiny-validation-split": 1} | dict.fromkeys(NOT_FOR_ROOT, 0)
    assert {name: len(studies) for name, studies in bad_site.planted.items()} == expected
    assert len(expected) > 60


def test_every_fault_that_is_not_of_the_manifest_has_a_proof() -> None:
    assert set(PROOFS) == set(FAULTS) - {*MANIFEST_FAULTS, *SPELLING_FAULTS, *WHOLE_MANIFEST_FAULTS}


@pytest.mark.parametrize("fault", PROOFS)
def test_the_studies_of_a_fault_have_it(bad_site: BadSite, fault: str) -> None:
    studies = bad_site.planted[fault]
    assert studies or fault in NOT_FOR_ROOT
    assert all(PROOFS[fault](bad_site, study) for study in studies)


@pytest.mark.parametrize("fault", PROOFS)
def test_sound_studies_do_not_have_it(bad_site: BadSite, fault: str) -> None:
    assert not any(PROOFS[fault](bad_site, study) for study in bad_site.sound[:8])


def test_no_study_has_two_faults(bad_site: BadSite) -> None:
    studies = [study for studies in bad_site.planted.values() for study in studies]
    assert len(set(studies)) == len(studies)


def test_healthy_studies_are_untouched_byte_for_byte(bad_site: BadSite) -> None:
    rows = [bad_site.row(study) for study in bad_site.sound]
    assert len(rows) > 40
    for row in rows:
        before = bad_site.row(row["study_id"], before=True)
        assert row == before | {"split": row["split"]}
        for column in ("image", "report_path"):
            assert digest(bad_site.spoilt / row[column]) == digest(bad_site.healthy / before[column])


def test_the_same_seed_spoils_the_same_studies(bad_site: BadSite, tmp_path: Path) -> None:
    assert make_bad_site(tmp_path, FIVE_HOSPITALS[2]).planted == bad_site.planted


@pytest.mark.parametrize("hospital", [*DEMO_HOSPITALS, FIVE_HOSPITALS[2]], ids=lambda hospital: hospital.name)
def test_the_data_room_skips_as_many_as_were_planted_and_no_fault_stops_it(hospital: Hospital, tmp_path: Path) -> None:
    site = make_bad_site(tmp_path, hospital, copies=1)
    expected = Counter[str]()
    for fault, reason in REASONS.items():
        expected[reason] += len(site.planted[fault])
    manifest = read_manifest(site.spoilt)
    images = cached_images(manifest.studies, tmp_path / "cache", image_size=32)
    assert Counter(manifest.skipped) + Counter(images.skipped) == expected
    assert len(images.studies) == len(read_rows(site.spoilt)) - expected.total()


def test_reasons_are_of_known_faults_and_codes() -> None:
    assert set(REASONS) <= set(FAULTS)
    assert set(REASONS.values()) <= set(REMEDIES)


def test_counts_are_those_of_the_studies_at_fault(tmp_path: Path) -> None:
    write_consortium(tmp_path, hospitals=[replace(DEMO_HOSPITALS[1], studies=100)], image_size=32)
    counts = plant_faults(tmp_path / DEMO_HOSPITALS[1].name, seed=0)
    assert set(counts) == set(FAULTS)
    assert counts["duplicate-study"] == counts["missing-image"] == 1


def test_a_hospital_that_is_too_small_is_refused(tmp_path: Path) -> None:
    write_consortium(tmp_path, hospitals=[replace(DEMO_HOSPITALS[1], studies=20)], image_size=32)
    with pytest.raises(InputError, match="have enough sound studies, got 20"):
        plant_faults(tmp_path / DEMO_HOSPITALS[1].name, seed=0)


def test_copies_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="copies must be 1 or more"):
        plant_faults(tmp_path, seed=0, copies=0)
