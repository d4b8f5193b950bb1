from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.site.prepare.presets.own_manifest import own_manifest
from fedaid.errors import InputError

Import = Callable[..., dict[str, Any]]


@pytest.fixture
def manifest(tmp_path: Path, write_picture: Callable[[str], Path]) -> Path:
    root = tmp_path / "data"
    for number in range(4):
        write_picture(f"data/images/{number}.png")
        (root / f"{number}.txt").write_text(f"IMPRESSION: Study {number}.")
    (root / "manifest.csv").write_text(
        "study_id,patient_id,image,report_path,split,labels,view,sex,age\n"
        "s0,p0,images/0.png,0.txt,test,Edema|Fracture,PA,F,91\ns1,p0,images/1.png,1.txt,test,,,,\n"
        "s2,p1,images/2.png,2.txt,train,,AP,,\ns3,p2,images/3.png,3.txt,,,,,\n"
    )
    return root


def test_splits_patients_labels_and_views_are_taken_over(manifest: Path, imported: Import) -> None:
    rows = sorted(imported("manifest", "data")["rows"], key=lambda row: str(row["text"]))
    assert [row["split"] for row in rows[:3]] == ["test", "test", "train"]
    assert [(row["labels"], row["view"]) for row in rows] == [("Edema|Fracture", "PA"), ("", ""), ("", "AP"), ("", "")]
    assert [(row["sex"], row["age"]) for row in rows] == [("F", "90"), *[("", "")] * 3]
    assert rows[0]["patient_id"] == rows[1]["patient_id"]
    assert rows[0]["patient_id"] != "p0"


def test_a_patient_with_two_splits_and_a_study_of_two_rows_are_left_out(manifest: Path, imported: Import) -> None:
    table = manifest / "manifest.csv"
    table.write_text(table.read_text().replace("1.txt,test", "1.txt,valid") + "s3,p2,images/3.png,3.txt,,,\n")
    result = imported("manifest", "data", None, "--max-bad-share", "0.9")
    assert (result["studies"], result["quarantined"]) == (1, {"pair-ambiguous": 3, "split-conflict": 2})


@pytest.mark.parametrize(
    ("content", "named"),
    [("study_id,image,report\na,b,c\n", "column patient_id"), ("study_id,patient_id,image\na,b,c\n", "column report"),
     ("study_id,patient_id,image,report,split\na,b,c,SECRET,SECRET\n", "split must be one of train, valid, test"),
     ("study_id,patient_id,image,report_path,image_row\na,b,c,d,1\n", "not be a prepared site")],
)  # fmt: skip
def test_what_is_wrong_with_it_is_named(content: str, named: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(content)
    with pytest.raises(InputError, match=named) as caught:
        list(own_manifest(tmp_path, tmp_path))
    assert "SECRET" not in str(caught.value)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must hold manifest\.csv"):
        list(own_manifest(tmp_path, tmp_path))
