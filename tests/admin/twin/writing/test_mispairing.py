from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from admin.twin.writing.mispairing import TRUTH, normal_report, repeat_normals, shuffle_reports
from admin.twin.writing.phrases import STYLES
from fedaid.data.report.sections import report_text

STUDIES = [f"s{number}" for number in range(20)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    for study in STUDIES:
        (tmp_path / "reports" / f"{study}.txt").write_text(f"report of {study}\n")
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    return {study: (folder / "reports" / f"{study}.txt").read_text() for study in STUDIES}


@pytest.mark.parametrize(("share", "moved"), [(0.25, 5), (0.01, 2), (1.0, 20)])
def test_a_share_of_the_studies_has_another_studys_report(folder: Path, share: float, moved: int) -> None:
    shuffle_reports(folder, STUDIES, share=share, rng=np.random.default_rng(0))
    after = texts(folder)
    assert sum(text != f"report of {study}\n" for study, text in after.items()) == moved
    assert len(set(after.values())) == len(STUDIES)


def test_the_truth_says_whose_report_each_one_has(folder: Path) -> None:
    shuffle_reports(folder, STUDIES, share=0.3, rng=np.random.default_rng(0))
    with (folder / TRUTH).open(newline="") as file:
        truth = {row["study_id"]: row["report_of"] for row in csv.DictReader(file)}
    assert len(truth) == 6
    assert {study: f"report of {truth.get(study, study)}\n" for study in STUDIES} == texts(folder)


def test_without_noise_nothing_is_written(folder: Path) -> None:
    shuffle_reports(folder, STUDIES, share=0.0, rng=np.random.default_rng(0))
    assert not (folder / TRUTH).exists()


def test_a_share_of_the_normal_studies_has_one_text(folder: Path) -> None:
    repeat_normals(folder, STUDIES[:10], style="prose", share=0.5, rng=np.random.default_rng(0))
    same = [study for study, text in texts(folder).items() if text == normal_report("prose")]
    assert len(same) == 5
    assert set(same) <= set(STUDIES[:10])


@pytest.mark.parametrize("style", STYLES)
def test_a_normal_report_can_be_read(style: str) -> None:
    assert STYLES[style].normal[0] in report_text(normal_report(style))
