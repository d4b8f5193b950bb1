from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from fedaid.data.header import study_tags
from fedaid.data.header.facts import read_header
from fedaid.data.header.study_tags import LONGEST, StudyTags, read_study_tags
from fedaid.data.unusable import UnusableStudy

WriteDicom = Callable[..., Path]


def test_identifiers_are_read_by_content_and_without_their_padding(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, name="x", AccessionNumber=" A 7 ", StudyInstanceUID="1.2.3")
    said = read_study_tags(path)
    assert said.names() == {"patient": "SECRET-ID", "accession": "A 7", "study": "1.2.3", "instance": "1.2.3"}


def test_the_same_reading_gives_the_facts_that_may_be_kept(
    write_dicom: WriteDicom, ramp: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dicom(ramp, ViewPosition="pa", PatientAge="093Y")
    expected, read = read_header(path), []
    monkeypatch.setattr(study_tags, "dcmread", lambda *given, **how: read.append(given) or dcmread(*given, **how))
    assert read_study_tags(path).header == expected
    assert (expected.view_position, expected.age, len(read)) == ("PA", 90, 1)


def test_absent_tags_are_empty(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, PatientID=None, AccessionNumber="")
    said = read_study_tags(path)
    assert (said.patient, said.accession, said.study) == ("", "", "")


def test_a_picture_that_is_no_dicom_has_none(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(tmp_path / "a", format="PNG")
    assert read_study_tags(tmp_path / "a") == StudyTags()


def test_a_tag_of_any_length_is_cut(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, AccessionNumber=None)
    content = path.read_bytes()
    assert content.count(b"SECRET-ID ") == 1
    long = b"\x10\0\x20\0UT\0\0" + (9000).to_bytes(4, "little") + b"A" * 9000
    path.write_bytes(content.replace(b"\x10\0\x20\0LO\x0a\0SECRET-ID ", long))
    assert read_study_tags(path).patient == "A" * LONGEST


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8"])
def test_other_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "IM1").write_bytes(data)
    with pytest.raises(UnusableStudy, match="image-unsupported"):
        read_study_tags(tmp_path / "IM1")


def test_an_object_of_nobody_without_a_size_is_refused_for_what_it_is(
    write_dicom: WriteDicom, ramp: np.ndarray
) -> None:
    path = write_dicom(ramp)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"SECRET-ACC") - 4])
    with pytest.raises(UnusableStudy, match="image-unreadable"):
        read_study_tags(path)
    path.write_bytes(bytes(128) + b"DICM")
    with pytest.raises(UnusableStudy, match="image-unsupported"):
        read_study_tags(path)


def test_no_identifier_shows_in_its_repr(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert "SECRET" not in repr(read_study_tags(write_dicom(ramp)))
