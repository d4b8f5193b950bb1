"""Write a consortium: DICOM files, reports and a manifest for each hospital."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from admin.twin.dicom_radiograph import StudyHeader, write_radiograph
from admin.twin.drawing.anatomy import Anatomy, sample_anatomy
from admin.twin.drawing.lateral import draw_lateral
from admin.twin.drawing.phantom import draw_radiograph
from admin.twin.drawing.scanner import expose
from admin.twin.findings import Finding, Findings, sample_findings
from admin.twin.hospital import DEMO_HOSPITALS, Hospital, Scanner
from admin.twin.writing.mispairing import repeat_normals, shuffle_reports
from admin.twin.writing.report_text import write_report
from admin.twin.writing.synonyms import reworded

__all__ = ["DEMO_HOSPITALS", "Hospital", "Scanner", "write_consortium"]

COLUMNS = ("study_id", "patient_id", "image", "report_path", "view", "sex", "age", "split", "labels")
MOST_STUDIES_OF_A_PATIENT = 4


@dataclass
class Patient:
    """A synthetic patient: a chest, and the chronic findings of earlier studies."""

    number: int
    anatomy: Anatomy
    sex: str
    age: int
    studies: int = 0
    chronic: tuple[Finding, ...] = ()


def write_consortium(
    folder: Path, *, hospitals: Sequence[Hospital] = DEMO_HOSPITALS, seed: int = 0, image_size: int = 128
) -> None:
    """Write ``<folder>/<hospital.name>/{manifest.csv, images/*.dcm, reports/*.txt}``.

    A hospital's files depend only on its dials and the seed, not on the other hospitals. The same arguments give the
    same bytes.

    Args:
        folder: made if absent; files of the same names are overwritten.
        hospitals: the sites to write.
        seed: seed of all random draws.
        image_size: side of the square pictures in pixels.
    """
    for hospital in hospitals:
        write_hospital(folder / hospital.name, hospital, seed=seed, image_size=image_size)


def write_hospital(folder: Path, hospital: Hospital, *, seed: int, image_size: int) -> None:
    """Write one hospital's folder."""
    for name in ("images", "reports"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    source = [seed, zlib.crc32(hospital.name.encode())]
    rng, dials = np.random.default_rng(source), np.random.default_rng([*source, 1])  # a dial at 0 changes no byte
    patients = admit_patients(hospital, rng)
    held_out = {"test": hospital.test_share, "valid": hospital.valid_share}
    splits = split_patients([patient.number for patient in patients], rng, held_out=held_out)
    rows = []
    for index, patient in enumerate(patients):
        findings = sample_findings(rng, hospital.prevalence, chronic=patient.chronic)
        view = "AP" if findings.of("tube") or rng.random() < hospital.portable else "PA"
        view = "LL" if dials.random() < hospital.lateral else view
        header = _header(index, patient, hospital=hospital, view=view, seed=seed)
        _write_study(
            folder, header, hospital=hospital, patient=patient, findings=findings, rng=rng, image_size=image_size
        )
        _reword(folder, header, hospital=hospital, rng=dials)
        patient.studies, patient.chronic = patient.studies + 1, findings.chronic
        rows.append(_row(header, splits[patient.number], findings))
    write_manifest(folder / "manifest.csv", [COLUMNS, *rows])
    normal = [row[0] for row in rows if row[-1] == "No Finding"]
    repeat_normals(folder, normal, style=hospital.style, share=hospital.duplicate_normals, rng=dials)
    shuffle_reports(folder, [row[0] for row in rows], share=hospital.pairing_noise, rng=dials)


def write_manifest(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write a manifest; the first row is its header."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def admit_patients(hospital: Hospital, rng: Generator) -> list[Patient]:
    """Return the patient of every study, in order; some patients return."""
    known: list[Patient] = []
    visits: list[Patient] = []
    counts: dict[int, int] = {}
    for _ in range(hospital.studies):
        back = [patient for patient in known[-40:] if counts[patient.number] < MOST_STUDIES_OF_A_PATIENT]
        if back and rng.random() < hospital.repeat:
            patient = back[int(rng.integers(len(back)))]
        else:
            sex = "M" if rng.random() < 0.5 else "F"
            patient = Patient(len(known) + 1, sample_anatomy(rng), sex, int(rng.integers(19, 90)))
            known.append(patient)
        counts[patient.number] = counts.get(patient.number, 0) + 1
        visits.append(patient)
    return visits


def split_patients(visits: Sequence[int], rng: Generator, *, held_out: Mapping[str, float]) -> dict[int, str]:
    """Return the split of each patient; test and valid get whole patients until each has its share of studies.

    Args:
        visits: (studies,) number of the patient of each study.
        rng: random source of the order of patients.
        held_out: split → share of the studies; the other patients train.
    """
    numbers, counts = np.unique(np.asarray(visits), return_counts=True)
    order = iter(rng.permutation(len(numbers)).tolist())
    splits = dict.fromkeys(numbers.tolist(), "train")
    for split, share in held_out.items():
        filled = 0
        while filled < round(share * len(visits)) and (index := next(order, None)) is not None:
            splits[int(numbers[index])] = split
            filled += int(counts[index])
    return splits


def _header(index: int, patient: Patient, *, hospital: Hospital, view: str, seed: int) -> StudyHeader:
    return StudyHeader(
        study_id=f"TWIN-S{index + 1:05d}",
        patient_id=f"TWIN-P{patient.number:05d}",
        hospital=hospital.name,
        view=view,
        sex=patient.sex,
        age=patient.age,
        entropy=f"twin {seed}",
    )


def _write_study(
    folder: Path,
    header: StudyHeader,
    *,
    hospital: Hospital,
    patient: Patient,
    findings: Findings,
    rng: Generator,
    image_size: int,
) -> None:
    """Write one study: draw it, expose it and write its report."""
    if header.view == "LL":
        image = draw_lateral(findings, patient.anatomy, rng=rng, image_size=image_size)
    else:
        strength = hospital.conspicuity
        image = draw_radiograph(findings, patient.anatomy, rng=rng, image_size=image_size, conspicuity=strength)
    exposure = expose(image, hospital.scanner, rng=rng, inverted=bool(rng.random() < hospital.monochrome1))
    path = folder / "images" / f"{header.study_id}.dcm"
    write_radiograph(path, header, exposure=exposure, scanner=hospital.scanner)
    text = write_report(findings, rng, style=hospital.style, follow_up=patient.studies > 0)
    (folder / "reports" / f"{header.study_id}.txt").write_text(text, encoding="utf-8")


def _reword(folder: Path, header: StudyHeader, *, hospital: Hospital, rng: Generator) -> None:
    """Replace some words of a study's report by synonyms."""
    if hospital.synonyms:
        path = folder / "reports" / f"{header.study_id}.txt"
        text = path.read_text(encoding="utf-8")
        path.write_text(reworded(text, rng, style=hospital.style, share=hospital.synonyms), encoding="utf-8")


def _row(header: StudyHeader, split: str, findings: Findings) -> tuple[str, ...]:
    image, report = f"images/{header.study_id}.dcm", f"reports/{header.study_id}.txt"
    of_person = (header.view, header.sex, str(header.age))
    return header.study_id, header.patient_id, image, report, *of_person, split, "|".join(findings.labels)
