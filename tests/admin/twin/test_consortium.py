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
from admin.twin.hospital import Hospital
from fedaid.data.manifest import read_manifest
from fedaid.data.pixels.dicom import read_dicom
from fedaid.data.table import CHEXPERT_14

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
    splits = split_patients(visits, rng, held_out={"test": 0.15, "valid": 0.15})
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


def test_the_demonstration_keeps_its_bytes(tmp_path: Path) -> None:
    """The numbers of the demo depend on them: whoever changes them on purpose runs the demo and quotes it anew."""
    write_consortium(tmp_path, hospitals=[replace(site, studies=4) for site in DEMO_HOSPITALS], image_size=32)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".dcm")
    whole = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    assert whole == "ec2a7b3233e69cb269877c0d49af3629b8a8dbc9e6d0441ccae52bdcbd6dfafc"


def written(folder: Path, **dials: object) -> Path:
    site = replace(DEMO_HOSPITALS[0], studies=40, **dials)
    write_consortium(folder, hospitals=[site], seed=3, image_size=32)
    return folder / site.name


def test_a_share_of_the_views_is_lateral_and_looks_it(tmp_path: Path) -> None:
    folder = written(tmp_path, lateral=0.5)
    views = Counter(row["view"] for row in rows(folder))
    assert 10 <= views["LL"] <= 30
    for row in rows(folder):
        header = dcmread(folder / row["image"])
        assert header.ViewPosition == row["view"]
        assert header.PatientOrientation[0] == ("A" if row["view"] == "LL" else "L")


def test_pairing_noise_moves_reports_and_nothing_else(tmp_path: Path) -> None:
    clean, noisy = written(tmp_path / "clean"), written(tmp_path / "noisy", pairing_noise=0.3)
    before, after = digests(clean), digests(noisy)
    assert after.pop("pairing.csv")
    assert {name.split("/")[0] for name in before if before[name] != after[name]} == {"reports"}
    assert len([name for name in before if before[name] != after[name]]) == 12


def test_duplicate_normals_share_one_text(tmp_path: Path) -> None:
    folder = written(tmp_path, duplicate_normals=1.0, prevalence={"effusion": 0.4})
    normal = [row for row in rows(folder) if row["labels"] == "No Finding"]
    assert len(normal) > 10
    assert len({(folder / row["report_path"]).read_text() for row in normal}) == 1


def test_synonyms_change_words_of_reports_only(tmp_path: Path) -> None:
    before, after = digests(written(tmp_path / "plain")), digests(written(tmp_path / "varied", synonyms=0.8))
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) > 10
    assert {name.split("/")[0] for name in changed} == {"reports"}
