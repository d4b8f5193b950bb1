from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID_dictionary

from fedaid.data.header.object_kind import _CLASSES, EXAMINATIONS, KINDS, NO_RADIOGRAPHS, object_kind
from fedaid.data.header.study_tags import read_study_tags
from fedaid.data.header.terms import MODALITIES

STORAGE = "1.2.840.10008.5.1.4.1.1."


def stated(sop_class: str = "", modality: str | None = None, rows: int | None = 9) -> Dataset:
    header = Dataset()
    header.SOPClassUID, header.Modality, header.Rows = sop_class, modality, rows
    return header


@pytest.mark.parametrize(
    ("sop_class", "modality", "expected"),
    [
        *[("2", "CT", "CT"), ("4", "MR", "MR"), ("66.4", "SEG", "SEG"), ("481.2", "RTDOSE", "RTDOSE"), ("2", "", "CT")],
        *[("88.67", "SR", "SR"), ("11.1", "PR", "PR"), ("88.59", "KO", "KO"), ("104.1", "DOC", "DOC")],
        *[("6.1", "US", "US"), ("20", "NM", "NM"), ("128", "PT", "PT"), ("1.2", "MG", "MG"), ("12.1", "XA", "XA")]  ,
        *[("2", "CR", "CT"), ("7", "CT", "CT"), ("1", "ct ", "CT"), ("88.67", None, "SR"), ("481.3", None, "RTSTRUCT")],
        *[("88.35", None, "SR"), ("77.1.5.1", None, "OP"), ("2.1", None, "CT"), ("201.1", None, "other object")],
    ],
)  # fmt: skip
def test_an_object_that_is_no_radiograph_has_a_kind(sop_class: str, modality: str | None, expected: str) -> None:
    assert object_kind(stated(STORAGE + sop_class, modality)) == expected


@pytest.mark.parametrize(
    ("sop_class", "modality"),
    [
        *[("1", "CR"), ("1", None), ("1.1", "DX"), ("1.1.1", ""), ("1", "RG"), ("7", "OT"), ("7", ""), ("7", "CR")],
        *[("12.2", "RF"), ("1.1", "XR"), ("7.2", "SC"), ("1.1", "RX")],
    ],
)
def test_a_radiograph_has_none(sop_class: str, modality: str | None) -> None:
    assert object_kind(stated(STORAGE + sop_class, modality)) == ""


def test_without_a_class_the_modality_decides() -> None:
    assert [object_kind(stated("", modality)) for modality in ("CT", "CR", "", None, "DOE^JANE")] == [
        "CT",
        "",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("modality", "expected"),
    [("MRI", "MR"), ("CT SCAN", "CT"), ("PET/CT", "PET"), ("Mammography", "MG"), ("dx", ""), ("X-RAY", ""), ("?", "")],
)
def test_other_words_for_a_modality_are_known(modality: str, expected: str) -> None:
    assert object_kind(stated(STORAGE + "7", modality)) == expected


def test_a_private_class_is_an_object_without_a_picture_or_may_be_a_film() -> None:
    assert object_kind(stated("1.3.12.2.1107.5.9.1", "CR", rows=None)) == "other object"
    assert object_kind(stated("1.3.12.2.1107.5.9.1", "CR")) == ""


def test_an_image_without_a_size_is_cut_short_and_stays_a_bad_image() -> None:
    assert object_kind(stated(STORAGE + "1", None, rows=None)) == ""
    assert object_kind(stated("", None, rows=None)) == ""


def test_an_index_is_one() -> None:
    assert object_kind(stated("1.2.840.10008.1.3.10", None, rows=None)) == "DICOMDIR"


def test_every_class_of_the_standard_is_placed() -> None:
    storage = [uid for uid, (name, *_) in UID_dictionary.items() if uid.startswith(STORAGE) and "Storage" in name]
    assert len(storage) > 150
    films = [uid.removeprefix(STORAGE) for uid in storage if not object_kind(stated(uid))]
    assert films == ["1", "1.1", "1.1.1", "7", "7.1", "7.2", "7.3", "7.4", "12.2", "12.2.1"]


def test_kinds_are_closed_lists() -> None:
    assert set(_CLASSES.values()) | EXAMINATIONS <= NO_RADIOGRAPHS < KINDS
    assert {"CR", "DX", "DR", "RG", "RF", "SC", "OT"} == MODALITIES - NO_RADIOGRAPHS


def test_a_file_with_a_kind_keeps_its_identifiers_and_facts(
    write_dicom: Callable[..., Path], ramp: np.ndarray, tmp_path: Path
) -> None:
    said = read_study_tags(write_dicom(ramp, Modality="CT", StudyInstanceUID="1.2.3"))
    assert (said.kind, said.study) == ("CT", "1.2.3")
    assert said.header is not None
    assert said.header.modality == "CT"
    (tmp_path / "README").write_text("Open it.")
    assert read_study_tags(tmp_path / "README").kind == "text"
