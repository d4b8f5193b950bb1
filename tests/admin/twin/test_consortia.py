from __future__ import annotations

from pathlib import Path

import pytest

from admin.twin.consortia import FIVE_HOSPITALS, PRESETS, SMALL_HOSPITALS, UNIFORM_POPULATION
from admin.twin.consortium import write_consortium
from admin.twin.findings import KINDS
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from admin.twin.writing.phrases import STYLES
from fedaid.data.manifest import read_manifest


def test_five_unequal_hospitals_shift_in_labels_machine_and_style() -> None:
    assert len({site.studies for site in FIVE_HOSPITALS}) == len(FIVE_HOSPITALS) == 5
    assert len({site.scanner for site in FIVE_HOSPITALS}) == 5
    assert len({tuple(site.prevalence.items()) for site in FIVE_HOSPITALS}) == 5
    assert {site.style for site in FIVE_HOSPITALS} == set(STYLES)


def test_the_population_has_the_five_in_equal_shares_and_other_patients() -> None:
    assert len({site.studies for site in UNIFORM_POPULATION}) == 1
    assert [site.scanner for site in UNIFORM_POPULATION] == [site.scanner for site in FIVE_HOSPITALS]
    assert not {site.name for site in UNIFORM_POPULATION} & {site.name for site in FIVE_HOSPITALS}


def test_no_name_occurs_in_two_presets() -> None:
    names = [site.name for preset in PRESETS.values() for site in preset]
    assert len(set(names)) == len(names) == 16
    assert PRESETS["demo"] is DEMO_HOSPITALS


def test_the_small_hospitals_write_in_one_style_and_have_machines_of_their_own() -> None:
    learnt = [round(site.studies * (1 - site.test_share)) for site in SMALL_HOSPITALS]
    assert learnt == [160, 120, 90]
    assert {site.style for site in SMALL_HOSPITALS} == {"prose"}
    assert len({site.scanner for site in SMALL_HOSPITALS}) == 3


@pytest.mark.parametrize("site", FIVE_HOSPITALS, ids=lambda site: site.name)
def test_every_kind_may_occur_in_the_smallest_test_split(site: Hospital) -> None:
    assert set(site.prevalence) == set(KINDS)
    assert all(0 < share <= 0.5 for share in site.prevalence.values())


def test_the_data_room_can_use_every_study_of_the_five(tmp_path: Path) -> None:
    sites = [Hospital(**{**vars(site), "studies": 20}) for site in FIVE_HOSPITALS]
    write_consortium(tmp_path, hospitals=sites, image_size=32)
    for site in sites:
        manifest = read_manifest(tmp_path / site.name)
        assert (len(manifest.studies), dict(manifest.skipped)) == (20, {})
