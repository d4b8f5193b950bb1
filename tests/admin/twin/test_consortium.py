from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless

from admin.twin.consortium import COLUMNS, DEMO_HOSPITALS, admit_patients, split_patients, write_consortium
from admin.twin.findings import CHEXPERT_14
from admin.twin.hospital import Hospital
from fedaid.data.dicom import read_dicom
from fedaid.data.manifest import read_manifest

SMALL = [replace(site, studies=30) for site in DEMO_HOSPITALS]


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("twin")
    write_consortium(folder, hospitals=SMALL, seed=3)
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_same_seed_gives_the_same_bytes(consortium: Path, tmp_path: Path) -> None:
    write_consortium(tmp_path, hospitals=SMALL, seed=3)
    assert digests(tmp_path) == digests(consortium)
    assert len(digests(tmp_path)) == 3 * (1 + 30 + 30)


def test_another_seed_gives_other_files(consortium: Path, tmp_path: Path) -> None:
    write_consortium(tmp_path, hospitals=SMALL, seed=4)
    assert not set(digests(tmp_path).values()) & set(digests(consortium).values())


def test_a_hospital_does_not_depend_on_the_others(consortium: Path, tmp_path: Path) -> None:
    write_consortium(tmp_path, hospitals=SMALL[2:], seed=3)
    assert digests(tmp_path / SMALL[2].name) == digests(consortium / SMALL[2].name)


@pytest.mark.parametrize("site", SMALL, ids=lambda site: site.name)
def test_the_data_room_can_use_every_study(consortium: Path, site: Hospital) -> None:
    manifest = read_manifest(consortium / site.name)
    assert len(manifest.studies) == 30
    assert not manifest.skipped


def test_the_manifest_has_its_columns_and_chexpert_labels(consortium: Path) -> None:
    for site in SMALL:
        table = rows(consortium / site.name)
        assert tuple(table[0]) == COLUMNS
        assert len(table) == 30
        assert all(set(row["labels"].split("|")) <= set(CHEXPERT_14) for row in table)


def test_no_identifier_occurs_twice(consortium: Path) -> None:
    headers = [dcmread(path, stop_before_pixels=True) for path in sorted(consortium.rglob("*.dcm"))]
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert len({header[keyword].value for header in headers}) == len(headers) == 90


@pytest.mark.parametrize("site", SMALL, ids=lambda site: site.name)
def test_lungs_are_darker_than_the_spine_once_read(consortium: Path, site: Hospital) -> None:
    images = [read_dicom(path) for path in sorted((consortium / site.name / "images").glob("*.dcm"))]
    mean = np.mean(images, axis=0)
    assert mean.shape == (128, 128)
    assert mean[55:75, 30:40].mean() < mean[55:75, 60:68].mean() - 0.1
    assert mean[:3, :3].mean() < 0.2


def test_the_demonstration_covers_the_storage_traits_of_real_files(consortium: Path) -> None:
    files = [dcmread(next((consortium / site.name / "images").glob("*.dcm"))) for site in SMALL]
    assert sorted(file.BitsStored for file in files) == [8, 10, 12]
    assert {file.PhotometricInterpretation for file in files} == {"MONOCHROME1", "MONOCHROME2"}
    assert {file.Modality for file in files} == {"CR", "DX"}
    assert any("WindowCenter" in file and float(file.RescaleSlope) != 1 for file in files)
    assert any(file.file_meta.TransferSyntaxUID == RLELossless for file in files)


def test_the_demonstration_has_three_unequal_sites_with_names_of_their_own() -> None:
    assert len({site.studies for site in DEMO_HOSPITALS}) == len(DEMO_HOSPITALS) == 3
    assert len({site.style for site in DEMO_HOSPITALS}) == 3
    assert not any(site.name.startswith("site") for site in DEMO_HOSPITALS)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("site", DEMO_HOSPITALS, ids=lambda site: site.name)
def test_a_split_holds_whole_patients_and_its_share_of_studies(site: Hospital, seed: int) -> None:
    rng = np.random.default_rng(seed)
    visits = [patient.number for patient in admit_patients(site, rng)]
    splits = split_patients(visits, rng)
    counts = Counter(splits[number] for number in visits)
    for split in ("valid", "test"):
        assert max(24, round(0.15 * len(visits))) <= counts[split] <= round(0.15 * len(visits)) + 3


def test_a_repeat_patient_keeps_one_split_and_one_sex(consortium: Path) -> None:
    table = rows(consortium / SMALL[0].name)
    splits, sexes = defaultdict(set), defaultdict(set)
    for row in table:
        splits[row["patient_id"]].add(row["split"])
        header = dcmread(consortium / SMALL[0].name / row["image"], stop_before_pixels=True)
        sexes[row["patient_id"]].add(header.PatientSex)
    assert len(splits) < len(table)
    assert all(len(found) == 1 for found in [*splits.values(), *sexes.values()])


def test_most_reports_are_distinct(tmp_path: Path, consortium: Path) -> None:
    texts = [path.read_text() for path in consortium.rglob("*.txt")]
    assert len(texts) == 90
    assert len(set(texts)) > 80
