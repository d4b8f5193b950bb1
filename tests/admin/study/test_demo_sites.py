from __future__ import annotations

import stat
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from admin.jobs.package import JOBS
from admin.jobs.settings import settable
from admin.site.prepare.imaged_study import key
from admin.study.demo_jobs import SETTINGS
from admin.study.demo_sites import PreparedSite, prepare_site, prepared_beside, write_key
from admin.twin.consortia import SMALL_HOSPITALS
from admin.twin.consortium import admit_patients, split_patients, write_consortium
from admin.twin.export import export_consortium
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from fedaid.data.cache import cached_images
from fedaid.data.manifest import read_manifest
from fedaid.data.pixels.image import read_radiograph
from fedaid.data.pseudonym import Pseudonyms, site_key
from fedaid.data.table import read_table

SMALL = [replace(hospital, studies=24) for hospital in DEMO_HOSPITALS]
SIZE = 32


def prepare_all(exports: Mapping[str, Path], out: Path) -> list[PreparedSite]:
    return [prepare_site(name, reports, out / name, image_size=SIZE) for name, reports in exports.items()]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return export_consortium(tmp_path_factory.mktemp("exports"), hospitals=SMALL, seed=5, image_size=40)


@pytest.fixture(scope="module")
def prepared(exports: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[PreparedSite]:
    return prepare_all(exports, tmp_path_factory.mktemp("sites"))


@pytest.fixture(scope="module")
def manifest_layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manifest")
    write_consortium(folder, hospitals=SMALL, seed=5, image_size=40)
    return folder


@pytest.mark.parametrize("number", range(3), ids=[hospital.name for hospital in SMALL])
def test_a_prepared_export_holds_the_twins_studies_with_their_own_texts_labels_and_pixels(
    number: int, prepared: list[PreparedSite], manifest_layout: Path, tmp_path: Path
) -> None:
    """Each pair right: what is compared under a study's pseudonym comes from the layout with a manifest."""
    site, hospital = prepared[number], SMALL[number]
    names = Pseudonyms(site_key(site.root / "private" / "key"))
    drawn = manifest_layout / hospital.name
    rows = read_table(drawn / "manifest.csv").rows
    twins = dict(zip((row.cell("study_id") for row in rows), read_manifest(drawn).studies, strict=True))
    lines = {line.cell("study_id"): line for line in read_table(site.root / "manifest.csv").rows}
    studies = read_manifest(site.root).studies
    images = cached_images(studies, tmp_path, image_size=SIZE)
    found = dict(zip(lines, ((study, row) for row, study in images.studies.items()), strict=True))
    assert len(found) == site.studies == hospital.studies
    for row in rows:
        twin, film = twins[row.cell("study_id")], drawn / row.cell("image")
        uid = str(dcmread(film, stop_before_pixels=True).StudyInstanceUID)
        study, pixels = found[name := key("study", uid, names)]
        assert study.text == twin.text
        assert study.labels == (() if hospital.report_format == "text" else twin.labels)
        assert study.patient_id == names.patient(twin.patient_id)
        assert lines[name].cell("view") == row.cell("view")
        np.testing.assert_array_equal(images.pixels[pixels], read_radiograph(film, SIZE).astype(np.float16))


def test_a_clean_export_is_prepared_whole(prepared: list[PreparedSite]) -> None:
    assert [(site.name, site.studies, site.quarantined) for site in prepared] == [(h.name, 24, 0) for h in SMALL]


def test_another_run_gives_the_same_dataset_bit_for_bit(
    exports: Mapping[str, Path], prepared: list[PreparedSite], tmp_path: Path
) -> None:
    for site, again in zip(prepared, prepare_all(exports, tmp_path), strict=True):
        for file in ("manifest.csv", f"images-{SIZE}.npy"):
            assert (site.root / file).read_bytes() == (again.root / file).read_bytes()


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    name = SMALL[1].name
    (export,) = export_consortium(tmp_path / "exports", hospitals=[SMALL[1]], seed=5, image_size=40).values()
    next(export.iterdir()).unlink()
    (site,) = prepare_all({name: export}, tmp_path / "sites")
    assert (site.studies, site.quarantined) == (23, 1)


def test_an_export_without_reports_fails_with_the_sites_name(exports: Mapping[str, Path], tmp_path: Path) -> None:
    name, reports = SMALL[0].name, exports[SMALL[0].name].with_name("absent.csv")
    with pytest.raises(RuntimeError, match=f"{name} could not be prepared: --reports must exist"):
        prepare_all({name: reports}, tmp_path)


def test_a_key_follows_from_seed_and_name_and_is_closed_to_others(tmp_path: Path) -> None:
    keys = {site_key(write_key(tmp_path / str(seed) / name, name, seed=seed)) for seed in (0, 1) for name in ("a", "b")}
    again = write_key(tmp_path / "again", "a", seed=0)
    assert len(keys) == 4
    assert site_key(again) in keys
    assert stat.S_IMODE(again.stat().st_mode) == 0o600


@pytest.mark.parametrize("hospital", SMALL_HOSPITALS, ids=lambda hospital: hospital.name)
def test_a_demo_hospital_states_splits_with_a_batch_in_each_and_96_test_studies(hospital: Hospital) -> None:
    visits = admit_patients(hospital, rng := np.random.default_rng([0, zlib.crc32(hospital.name.encode())]))
    held_out = {"test": hospital.test_share, "valid": hospital.valid_share}
    splits = split_patients([visit.number for visit in visits], rng, held_out=held_out)
    counts = Counter(splits[visit.number] for visit in visits)
    assert 96 <= counts["test"] <= 99
    assert counts["train"] >= SETTINGS["batch_size"]
    assert counts["valid"] >= int(str(settable(JOBS / "fedaid_pretrain")["executor.valid_batch_size"]))
    assert hospital.states_splits


def test_hospitals_are_prepared_beside_the_caller_with_the_splits_that_they_state(tmp_path: Path) -> None:
    hospitals = [replace(one, studies=24) for one in SMALL_HOSPITALS]
    with prepared_beside(hospitals, tmp_path, image_size=SIZE) as preparing:
        assert all((tmp_path / "sites" / one.name).is_dir() for one in hospitals), "a federation can be started on them"
        sites = [preparing[one.name].result() for one in hospitals]
    assert [(site.name, site.studies, site.quarantined) for site in sites] == [(h.name, 24, 0) for h in hospitals]
    for one, site in zip(hospitals, sites, strict=True):
        rows = read_table(site.root / "manifest.csv").rows
        tested = sum(row.cell("split") == "test" for row in rows)
        assert round(24 * one.test_share) <= tested <= round(24 * one.test_share) + 3


def test_a_failure_of_the_caller_starts_no_further_hospital(tmp_path: Path) -> None:
    hospitals = [replace(one, studies=24) for one in SMALL_HOSPITALS]
    with pytest.raises(KeyboardInterrupt), prepared_beside(hospitals, tmp_path, image_size=SIZE) as preparing:
        raise KeyboardInterrupt
    assert preparing[hospitals[-1].name].cancelled()
