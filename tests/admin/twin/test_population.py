from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from admin.twin.consortia import UNIFORM_POPULATION
from admin.twin.population import SITE, write_population
from fedaid.data.manifest import read_manifest

SMALL = [replace(site, studies=8) for site in UNIFORM_POPULATION]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("population")
    write_population(folder, hospitals=SMALL, image_size=32, split="test")
    return folder


def test_every_hospital_has_its_studies_in_the_one_manifest(population: Path) -> None:
    assert Counter(row[SITE] for row in rows(population)) == {site.name: 8 for site in SMALL}


def test_the_data_room_can_use_every_study_and_all_are_in_the_split_asked_for(population: Path) -> None:
    manifest = read_manifest(population)
    assert [study.split for study in manifest.studies] == ["test"] * 40
    assert not manifest.skipped


def test_patients_of_two_hospitals_are_two_patients(population: Path) -> None:
    homes: dict[str, set[str]] = {}
    for row in rows(population):
        homes.setdefault(row["patient_id"], set()).add(row[SITE])
    assert all(len(found) == 1 for found in homes.values())


def test_without_a_split_each_hospitals_own_are_kept(tmp_path: Path) -> None:
    write_population(tmp_path, hospitals=SMALL[:1], image_size=32)
    own = rows(tmp_path / SMALL[0].name)
    assert [row["split"] for row in rows(tmp_path)] == [row["split"] for row in own]
    assert len({row["split"] for row in own}) == 3
