from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from admin.site.doctor.doctor_check import ERROR
from admin.site.doctor.examination import CHECKS, checks_fired
from admin.twin.consortium import write_hospital
from admin.twin.faults.bad_hospital import (
    BAD_HOSPITAL,
    BAD_PRACTICE,
    COPIES,
    IMAGE_SIZE,
    write_bad_export,
    write_bad_hospital,
)
from admin.twin.faults.planted import FAULTS


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    assert write_bad_export(folder, seed=1).is_relative_to(folder)
    return folder / BAD_PRACTICE.name


@pytest.mark.slow
def test_what_the_doctor_calls_an_error_is_planted_and_not_how_the_hospital_is(tmp_path: Path) -> None:
    write_hospital(tmp_path, replace(BAD_HOSPITAL, studies=80), seed=1, image_size=64)
    errors = {check.name for check in CHECKS if check.severity == ERROR}
    assert not errors & set(checks_fired(tmp_path))


@pytest.mark.slow
def test_the_hospital_has_every_fault_and_no_study_has_two(tmp_path: Path) -> None:
    planted = write_bad_hospital(tmp_path, seed=1)
    studies = [study for studies in planted.values() for study in studies]
    assert set(planted) == set(FAULTS)
    assert {name for name, who in planted.items() if len(who) < COPIES} <= {"tiny-validation-split", "unreadable-file"}
    assert len(set(studies)) == len(studies)


def test_all_patients_of_the_practice_have_one_identifier(export: Path) -> None:
    others = ("notes.dcm", "archive.zip")
    films = [dcmread(path) for path in (export / "images").rglob("*") if path.name not in others and path.is_file()]
    assert len(films) == BAD_PRACTICE.studies + 2
    assert [film.Modality for film in films].count("CT") == 1
    assert {film.PatientID for film in films} == {"ANONYMOUS"}
    assert {film.Rows for film in films} == {IMAGE_SIZE}


def test_two_files_of_the_practice_are_no_images(export: Path) -> None:
    assert (export / "images" / "notes.dcm").read_text().isascii()
    assert zipfile.is_zipfile(export / "images" / "archive.zip")
