from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from fedaid.data.header.facts import KEPT, Header, header_from, read_header, reduced
from fedaid.data.unusable import UnusableStudy

WriteDicom = Callable[..., Path]
CANARY = "ZQX"


def dataset(**tags: Any) -> Dataset:
    header = Dataset()
    with pydicom.config.disable_value_validation():
        for keyword, value in tags.items():
            setattr(header, keyword, value)
    return header


def test_the_facts_of_a_file_are_plain_values(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    kept = read_header(
        write_dicom(
            ramp, Modality="DX", ViewPosition="PA", BodyPartExamined="CHEST", PatientSex="F", PatientAge="061Y",
            PatientOrientation=["L", "F"], PixelSpacing=[0.143, 0.143], BurnedInAnnotation="NO", WindowCenter=40,
            WindowWidth=400, Manufacturer="Philips Medical Systems", LossyImageCompression="01", ImageLaterality="U",
        )
    )  # fmt: skip
    assert kept == Header(
        modality="DX", view_position="PA", body_part="CHEST", laterality="U", orientation=("L", "F"),
        photometric="MONOCHROME2", burned_in=False, lossy=True, rows=32, columns=48, samples=1, bits_allocated=16,
        bits_stored=16, signed=False, pixel_spacing=(0.143, 0.143), windowed=True,
        transfer_syntax="1.2.840.10008.1.2.1", manufacturer="PHILIPS", sex="F", age=61,
        views=("PA", "", "", "FRONTAL", *[""] * 8),
    )  # fmt: skip
    assert {type(value) for value in asdict(kept).values()} <= {str, int, bool, tuple, type(None)}
    json.dumps(asdict(kept))


def test_an_empty_dataset_says_nothing() -> None:
    assert reduced(Dataset()) == Header()


def test_nothing_of_person_date_or_number_is_on_the_list() -> None:
    for keyword in KEPT:
        assert pydicom.datadict.dictionary_VR(keyword) not in ("PN", "DA", "DT", "TM", "UI", "LT", "ST", "UT"), keyword


def test_other_tags_are_not_even_parsed(
    write_dicom: WriteDicom, ramp: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Dataset] = []

    def watched(*given: Any, **options: Any) -> Dataset:
        read.append(dcmread(*given, **options))
        return read[-1]

    monkeypatch.setattr("fedaid.data.header.facts.dcmread", watched)
    read_header(write_dicom(ramp, PatientBirthDate="19400101", StudyDate="20200101", InstitutionName=CANARY))
    assert {element.keyword for element in read[0]} <= {*KEPT, "SpecificCharacterSet"}


def test_identifiers_in_any_kept_tag_private_tag_or_sequence_are_not_kept() -> None:
    header = Dataset()
    with pydicom.config.disable_value_validation():
        for keyword in KEPT:
            representation = pydicom.datadict.dictionary_VR(keyword)
            if representation == "SQ":
                setattr(header, keyword, Sequence([dataset(LUTExplanation=CANARY, PatientName=CANARY)]))
            elif representation in ("CS", "LO", "AS"):
                setattr(header, keyword, f"{CANARY}^JANE")
        block = header.private_block(0x0099, CANARY, create=True)
        block.add_new(1, "LO", CANARY)
    assert CANARY not in repr(asdict(reduced(header)))
    ignored = ("ModalityLUTSequence", "PresentationLUTShape", "VOILUTFunction", "VOILUTSequence")
    assert reduced(header) == Header(ignored=ignored)


@pytest.mark.parametrize(
    "value", ["SMITH^JOHN", "PA SMITH", "PA 12345", "1.2.3", ["PA", "SMITH"], "", None, "P" * 5000, "PA\\AP"]
)
def test_a_view_that_is_no_view_is_nothing(value: Any) -> None:
    assert reduced(dataset(ViewPosition=value)).view_position is None


@given(st.sampled_from(KEPT), st.text(string.ascii_letters + string.digits + "^ .-\\", min_size=17, max_size=64))
@settings(max_examples=200, deadline=None)
def test_long_free_text_never_passes(keyword: str, text: str) -> None:
    if pydicom.datadict.dictionary_VR(keyword) in ("CS", "LO", "AS"):
        shown = repr(asdict(reduced(dataset(**{keyword: text}))))
        assert text not in shown


@pytest.mark.parametrize(
    ("said", "age"),
    [
        ("045Y", 45), ("089Y", 89), ("090Y", 90), ("104Y", 90), ("121Y", None), ("999Y", None), ("018M", 1),
        ("006M", 0), ("003D", 0), ("100W", 1), ("45", None), ("45Y", None), ("0045Y", None), ("1940", None), ("", None),
    ],
)  # fmt: skip
def test_age_is_in_years_and_capped(said: str, age: int | None) -> None:
    assert reduced(dataset(PatientAge=said)).age == age


@pytest.mark.parametrize("spacing", [[0.0, 0.1], [1e9, 1.0], ["nan", "nan"], [0.1], [-0.1, 0.1], ["inf", "1"]])
def test_a_spacing_that_cannot_be_is_nothing(spacing: list[Any]) -> None:
    assert reduced(dataset(PixelSpacing=spacing)).pixel_spacing is None


def test_a_spacing_has_no_room_for_a_number() -> None:
    assert reduced(dataset(ImagerPixelSpacing=[0.1437846123, 0.2])).pixel_spacing == (0.1438, 0.2)


def test_a_private_transfer_syntax_is_nothing(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID = "1.2.826.0.1.3680043.2.1143.99"
    assert reduced(header).transfer_syntax is None


@pytest.mark.parametrize("content", [b"", b"no DICOM at all", b"\x89PNG\r\n", b"\0" * 128 + b"DICM" + b"\xff" * 40])
def test_a_file_that_is_no_dicom_is_unreadable(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(UnusableStudy, match="image-unreadable"):
        read_header(path)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnusableStudy, match="image-missing"):
        read_header(tmp_path / "none")


def test_nothing_is_printed_of_a_value_that_breaks_the_standard(
    write_dicom: WriteDicom, ramp: np.ndarray, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pydicom.config.disable_value_validation():
        path = write_dicom(ramp, PatientAge=f"{CANARY}-1234567890", ViewPosition=f"{CANARY} jane doe of somewhere")
    read_header(path)
    assert CANARY not in caplog.text + "".join(capfd.readouterr())


FULL = Header(
    *("DX", "PA", "CHEST", "U", ("L", "F"), "MONOCHROME1", "FOR PRESENTATION", False, True, 32, 48, 2, 1, 16, 12),
    *(False, (0.143, 1.0), True, False, "1.2.840.10008.1.2.1", "PHILIPS", "F", 61),
    *(False, False, (), ("PA", "", "LL", *[""] * 9)),
)


@pytest.mark.parametrize("header", [FULL, Header()])
def test_a_header_comes_back_from_json(header: Header) -> None:
    written = json.loads(json.dumps(asdict(header)))
    assert header_from(written) == header
    assert header_from({name: value for name, value in written.items() if value is not None}) == header


@pytest.mark.parametrize("name", [field.name for field in fields(Header)])
@pytest.mark.parametrize(
    "value", [CANARY, "", 1.5, -1, 10**9, [CANARY, CANARY], ["L", CANARY], ["L"], [0.1, 1e9],
              [0.123456, 1.0], {}, [[], []]],
)  # fmt: skip
def test_no_field_of_a_header_takes_what_it_cannot_be(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="no header has") as caught:
        header_from({name: value})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "kept", [{"patient": "x"}, {"rows": True}, {"rows": 32.0}, {"rows": "32"}, {"windowed": None}, {"age": 91},
             {"burned_in": 0}, {"pixel_spacing": [1, 1]}, {"pixel_spacing": [float("nan"), 1.0]}]
)  # fmt: skip
def test_a_header_of_another_type_or_field_is_refused(kept: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no header has"):
        header_from(kept)


def test_real_files_give_their_facts_and_no_identifier(real_dicom: Path) -> None:
    files = sorted(real_dicom.glob("*.dcm"))
    kept = {file.name[:2]: read_header(file) for file in files}
    assert len(kept) == 15
    first, frames, spacing = kept["01"], kept["13"].frames, kept["04"].pixel_spacing
    assert (first.modality, first.body_part, first.view_position) == ("CR", "CHEST", "PA")
    assert (first.photometric, first.rows, first.bits_stored) == ("MONOCHROME1", 440, 10)
    assert (frames, kept["10"].windowed, kept["09"].modality_lut, kept["14"].signed) == (96, True, True, True)
    assert spacing is not None
    assert all(header_from(json.loads(json.dumps(asdict(header)))) == header for header in kept.values())
    for file in files:
        whole, shown = dcmread(file, stop_before_pixels=True), repr(kept[file.name[:2]])
        for word in ("PatientName", "PatientID", "AccessionNumber", "StudyDate", "SOPInstanceUID", "InstitutionName"):
            value = str(whole.get(word) or "").strip()
            assert len(value) < 3 or value not in shown, f"{file.name}: {word}"
