from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.site.prepare.presets.mimic_cxr_jpg import mimic_cxr_jpg
from fedaid.errors import InputError

Import = Callable[..., dict[str, Any]]
METADATA = "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate\n"
IMAGES = [  # dicom_id, subject_id, study_id, view, split
    ("02aa-01", "10000032", "50414267", "LATERAL", "train"), ("174b-02", "10000032", "50414267", "PA", "train"),
    ("2a2b-03", "10000032", "53189527", "", "train"), ("e084-04", "11000764", "57375967", "AP", "validate"),
    ("68b5-05", "12000898", "50771383", "AP", "test"),
]  # fmt: skip
WORDS = {"50414267": "apex", "53189527": "base", "57375967": "hilum", "50771383": "rib"}
REPORT = (
    "                                 FINAL REPORT\n EXAMINATION: CHEST.\n FINDINGS:  Clear {}.\n IMPRESSION:  None.\n"
)


@pytest.fixture
def mimic(tmp_path: Path, write_picture: Callable[[str], Path]) -> Path:
    root = tmp_path / "mimic"
    for dicom, subject, study, _, _ in IMAGES:
        write_picture(f"mimic/files/p{subject[:2]}/p{subject}/s{study}/{dicom}.jpg")
        report = tmp_path / "reports" / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}.txt"
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(REPORT.format(WORDS[study]))
    rows = [f"{dicom},{subject},{study},CHEST,{view},12,12,2180\n" for dicom, subject, study, view, _ in IMAGES]
    with gzip.open(root / "mimic-cxr-2.0.0-metadata.csv.gz", "wt") as file:
        file.write(METADATA + "".join(rows))
    splits = [f"{dicom},{study},{subject},{split}\n" for dicom, subject, study, _, split in IMAGES]
    (root / "mimic-cxr-2.0.0-split.csv").write_text("dicom_id,study_id,subject_id,split\n" + "".join(splits))
    (root / "mimic-cxr-2.0.0-chexpert.csv").write_text(
        "subject_id,study_id,Atelectasis,Edema,No Finding,Pleural Effusion\n"
        "10000032,50414267,1.0,-1.0,,1.0\n11000764,57375967,,,1.0,0.0\n"
    )
    return root


def test_patients_splits_views_and_labels_are_those_of_the_tables(mimic: Path, imported: Import) -> None:
    result = imported("mimic-cxr-jpg", "mimic", "reports")
    rows = {row["text"].split("Clear ")[1].split(".")[0]: row for row in result["rows"]}
    assert {word: (row["split"], row["view"], row["labels"]) for word, row in rows.items()} == {
        "apex": ("train", "PA", "?Edema|Atelectasis|Pleural Effusion"), "base": ("train", "", ""),
        "hilum": ("valid", "AP", "No Finding"), "rib": ("test", "AP", ""),
    }  # fmt: skip
    assert rows["apex"]["patient_id"] == rows["base"]["patient_id"]
    assert (len({row["patient_id"] for row in result["rows"]}), result["patients_unknown"]) == (3, 0)
    assert result["quarantined"] == {}


def test_sectioned_reports_are_read_and_the_last_paragraph_stands_in(
    mimic: Path, imported: Import, tmp_path: Path
) -> None:
    (tmp_path / "mimic_cxr_sectioned.csv").write_text(
        "study,impression,findings,last_paragraph,comparison\n"
        's50414267,Normal.,"Clear,\nlungs.",,\ns53189527,,,Portable film shows a tube.,\ns57375967,Edema.,,,\n'
    )
    result = imported("mimic-cxr-jpg", "mimic", "mimic_cxr_sectioned.csv", "--max-bad-share", "0.5")
    assert sorted(row["text"] for row in result["rows"]) == [
        "FINDINGS: Clear, lungs.\n\nIMPRESSION: Normal.\n", "IMPRESSION: Edema.\n", "Portable film shows a tube.\n",
    ]  # fmt: skip
    assert result["quarantined"] == {"report-empty": 1}


def test_a_patient_in_two_splits_is_left_out_and_said(mimic: Path, imported: Import) -> None:
    table = mimic / "mimic-cxr-2.0.0-split.csv"
    table.write_text(table.read_text().replace("53189527,10000032,train", "53189527,10000032,test"))
    result = imported("mimic-cxr-jpg", "mimic", "reports", "--max-bad-share", "0.6")
    assert result["quarantined"] == {"split-conflict": 2}
    assert sorted(row["split"] for row in result["rows"]) == ["test", "valid"]


@pytest.mark.parametrize("kind", ["metadata.csv.gz", "split.csv", "chexpert.csv"])
def test_a_table_that_is_not_there_is_named(kind: str, mimic: Path, tmp_path: Path) -> None:
    (mimic / f"mimic-cxr-2.0.0-{kind}").unlink()
    with pytest.raises(
        InputError, match=rf"--images must hold mimic-cxr-2\.0\.0-{kind[:-3].rstrip('.')}.*mimic-cxr-jpg"
    ):
        list(mimic_cxr_jpg(mimic, tmp_path / "reports"))


def test_missing_columns_and_reports_are_named(mimic: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="files/p10 to p19"):
        list(mimic_cxr_jpg(mimic, tmp_path))
    (mimic / "mimic-cxr-2.0.0-split.csv").write_text("dicom_id,fold\n1,2\n")
    with pytest.raises(InputError, match=r"must have the column split, .*: mimic-cxr-2\.0\.0-split\.csv, header"):
        list(mimic_cxr_jpg(mimic, tmp_path / "reports"))


@pytest.mark.parametrize("row", ["a,../../etc,1,,PA", "a,1,,,PA", "../a,1,2,,PA"])
def test_identifiers_that_would_lead_elsewhere_are_refused(row: str, mimic: Path, tmp_path: Path) -> None:
    with gzip.open(mimic / "mimic-cxr-2.0.0-metadata.csv.gz", "wt") as file:
        file.write(METADATA + row + "\n")
    with pytest.raises(InputError, match=r"metadata\.csv\.gz, row 2") as caught:
        list(mimic_cxr_jpg(mimic, tmp_path / "reports"))
    assert ".." not in str(caught.value)
