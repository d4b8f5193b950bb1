from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from fedaid.data.header.element_values import numbers, words
from fedaid.data.header.facts import KEPT, reduced
from fedaid.data.header.pixel_tags import PIXEL_TAGS, PixelTags, pixel_tags
from fedaid.data.header.study_tags import read_study_tags
from fedaid.data.pixels.dicom import read_dicom
from fedaid.data.pixels.image import read_radiograph
from fedaid.data.pixels.stored_pixels import StoredPixels

SOUND: dict[str, Any] = {
    "Rows": 4, "Columns": 6, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
    "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0,
}  # fmt: skip


def dataset(**tags: Any) -> Dataset:
    made = Dataset()
    for keyword, value in (SOUND | tags).items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def raw(keyword: str, value: bytes, vr: str | None) -> Dataset:
    tag = Tag(keyword)
    return Dataset({tag: RawDataElement(tag, vr, len(value), value, 0, vr is None, True)})


@pytest.mark.parametrize(
    ("keyword", "vr", "value", "read"),
    [
        ("WindowCenter", "DS", b"2048 ", (2048,)),
        ("WindowCenter", "DS", b"2048,5", (None,)),
        ("WindowCenter", "DS", b"2048//10", (None,)),
        ("WindowCenter", "DS", b"2048\\ ", (2048, None)),
        ("WindowCenter", "DS", b"+1.5E2", (150,)),
        ("WindowCenter", "DS", b"NaN ", (None,)),
        ("WindowCenter", "DS", b"1_0 ", (None,)),
        ("WindowCenter", "DS", b"  ", ()),
        ("WindowCenter", "FD", b"\0\0\0\0\0\0\xf8\x3f", (1.5,)),
        ("WindowCenter", "FD", b"\0\0\0\0\0\0\xf8\x7f", (None,)),
        ("WindowCenter", "UN", b"12", (12,)),
        ("WindowCenter", None, b"12", (12,)),
        ("Rows", "UL", b"\x60\0\0\0", (96,)),
        ("Rows", "IS", b"96", (96,)),
        ("Rows", "US", b"\x60", (None,)),
        ("Rows", "US", b"", ()),
        ("PixelPaddingValue", "SS", b"\xff\xff", (-1,)),
        ("PixelPaddingValue", None, b"\xff\xff", (65535,)),
    ],
)
def test_numbers_are_read_in_any_representation(
    keyword: str, vr: str | None, value: bytes, read: tuple[float | None, ...]
) -> None:
    assert numbers(raw(keyword, value, vr), keyword) == read


def test_an_absent_element_has_no_numbers_and_no_words() -> None:
    assert numbers(Dataset(), "Rows") == words(Dataset(), "Modality") == ()


@pytest.mark.parametrize("vr", ["CS", "UN", "LO", None])
def test_words_are_read_in_any_representation(vr: str | None) -> None:
    assert words(raw("ViewPosition", b"pa \\ll", vr), "ViewPosition") == ("PA", "LL")


def test_sound_tags_are_read_and_none_is_ignored() -> None:
    tags = pixel_tags(dataset(WindowCenter=["40", "50"], WindowWidth=["400", "500"], RescaleSlope="2"))
    assert (tags.rows, tags.columns, tags.allocated, tags.stored, tags.high, tags.signed) == (4, 6, 16, 12, 11, False)
    assert tags.window is not None
    assert (tags.window.centre, tags.window.width, tags.window.function) == (40, 400, "LINEAR")
    assert (tags.slope, tags.intercept, tags.pixel_height, tags.ignored) == (2, 0, 1, frozenset())


@pytest.mark.parametrize(
    ("tags", "ignored", "expected"),
    [
        ({"BitsStored": None}, "BitsStored", {"stored": 12}),
        ({"BitsStored": 17}, "BitsStored", {"stored": 12}),
        ({"BitsStored": 1}, "BitsStored", {"stored": 12}),
        ({"BitsStored": None, "HighBit": None}, "BitsStored HighBit", {"stored": 16, "high": 15}),
        ({"HighBit": 3}, "HighBit", {"high": 11}),
        ({"HighBit": 16}, "HighBit", {"high": 11}),
        ({"HighBit": 15}, "", {"high": 15, "stored": 12}),
        ({"BitsAllocated": 12}, "BitsAllocated", {"allocated": 16}),
        ({"PixelRepresentation": None}, "PixelRepresentation", {"signed": False}),
        ({"PixelRepresentation": 7}, "PixelRepresentation", {"signed": False}),
        ({"SamplesPerPixel": None}, "SamplesPerPixel", {"samples": 1}),
        ({"SamplesPerPixel": None, "PhotometricInterpretation": "RGB"}, "SamplesPerPixel", {"samples": 3}),
        ({"NumberOfFrames": 0}, "NumberOfFrames", {"frames": 1}),
        ({"RescaleSlope": 0}, "RescaleSlope", {"slope": 1}),
        ({"RescaleSlope": "1e300"}, "RescaleSlope", {"slope": 1}),
        ({"WindowCenter": 40}, "WindowCenter", {"window": None}),
        ({"WindowCenter": 40, "WindowWidth": -4}, "WindowCenter WindowWidth", {"window": None}),
        ({"PixelPaddingRangeLimit": 40}, "PixelPaddingRangeLimit", {"padding": None}),
        ({"PixelPaddingValue": 40}, "", {"padding": (40, 40)}),
        ({"PixelPaddingValue": 40, "PixelPaddingRangeLimit": 50}, "", {"padding": (40, 50)}),
        ({"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelPaddingValue": 999}, "PixelPaddingValue",
         {"padding": None}),
        ({"PresentationLUTShape": "LIN OD"}, "PresentationLUTShape", {"lut_shape": ""}),
        ({"ModalityLUTSequence": [Dataset()]}, "ModalityLUTSequence", {"modality_lut": None}),
        ({"VOILUTSequence": [Dataset()]}, "VOILUTSequence", {"voi_lut": None}),
    ],
)  # fmt: skip
def test_a_tag_that_cannot_be_used_has_a_default_and_is_named(
    tags: dict[str, Any], ignored: str, expected: dict[str, Any]
) -> None:
    read = pixel_tags(dataset(**tags))
    assert " ".join(sorted(read.ignored)) == ignored
    assert {name: getattr(read, name) for name in expected} == expected


def test_without_its_rescale_a_window_is_not_used() -> None:
    tags = pixel_tags(dataset(RescaleSlope=0, WindowCenter=40, WindowWidth=400))
    assert (tags.window, tags.ignored) == (None, {"RescaleSlope"})


def test_an_object_without_a_picture_lacks_no_tag_of_one() -> None:
    assert pixel_tags(Dataset()).ignored == frozenset()


def test_pixels_of_floating_point_need_no_layout_of_bits() -> None:
    absent = dict.fromkeys(("BitsStored", "HighBit", "PixelRepresentation"))
    assert pixel_tags(dataset(BitsAllocated=32, **absent)).ignored == frozenset()


@pytest.mark.parametrize(
    ("tags", "height", "ignored"),
    [
        ({"PixelSpacing": ["0.4", "0.2"]}, 2, ""),
        ({"PixelSpacing": ["0.1", "0.2"]}, 0.5, ""),
        ({"PixelSpacing": ["0.2", "0.2"], "ImagerPixelSpacing": ["0.4", "0.2"]}, 1, ""),
        ({"ImagerPixelSpacing": ["0.4", "0.2"], "PixelAspectRatio": ["3", "1"]}, 2, ""),
        ({"NominalScannedPixelSpacing": ["0.4", "0.2"], "PixelAspectRatio": ["3", "1"]}, 2, ""),
        ({"PixelAspectRatio": ["3", "2"]}, 1.5, ""),
        ({"PixelSpacing": ["0.2", "0.2005"]}, 1, ""),
        ({"PixelSpacing": ["0.2"], "PixelAspectRatio": ["2", "1"]}, 2, "PixelSpacing"),
        ({"PixelSpacing": ["0", "0"]}, 1, "PixelSpacing"),
        ({"PixelSpacing": ["0.02", "2"]}, 1, "PixelSpacing"),
        ({"PixelAspectRatio": ["-1", "1"]}, 1, "PixelAspectRatio"),
    ],
)
def test_the_shape_of_a_pixel_follows_the_standards_order(tags: dict[str, Any], height: float, ignored: str) -> None:
    read = pixel_tags(dataset(**tags))
    assert read.pixel_height == pytest.approx(height)
    assert " ".join(read.ignored) == ignored


@pytest.mark.parametrize(
    ("photometric", "shape", "contradicts"),
    [
        ("MONOCHROME2", "INVERSE", True), ("MONOCHROME1", "IDENTITY", True), ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", "INVERSE", False), ("MONOCHROME1", None, False),
    ],
)  # fmt: skip
def test_a_shape_that_the_standard_excludes_contradicts(photometric: str, shape: str | None, contradicts: bool) -> None:
    header = dataset(PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    assert pixel_tags(header).contradicts_polarity == reduced(header).contradicts_polarity == contradicts


def cells(values: list[int], kind: str, *, padding: tuple[int, int] | None, bits: int, signed: bool) -> StoredPixels:
    return StoredPixels(np.array([values], kind), bits, 0, signed, padding)


@pytest.mark.parametrize(
    ("padding", "kind", "bits", "signed", "values", "found"),
    [
        ((65535, 65535), "u2", 12, False, [0, 65535, 4095], [0, 1, 0]),
        ((-1, -1), "u2", 16, False, [0, 65535, 4095], [0, 1, 0]),
        ((63536, 63536), "i2", 16, True, [0, -2000, 63], [0, 1, 0]),
        ((-2048, -2048), "i2", 12, True, [0, 2048, -2048], [0, 1, 1]),
        ((-2000, -1990), "i2", 12, True, [-1995, -2001, 2101], [1, 0, 1]),
        ((-1990, -2000), "i2", 16, True, [-1995, -2001, 2101], [1, 0, 0]),
        ((0, 10), "u1", 8, False, [0, 10, 11], [1, 1, 0]),
        ((-1, -1), "u1", 8, False, [0, 255, 11], [0, 1, 0]),
    ],
)
def test_padding_is_found_in_either_sign_representation(
    padding: tuple[int, int], kind: str, bits: int, signed: bool, values: list[int], found: list[int]
) -> None:
    stored = cells(values, kind, padding=padding, bits=bits, signed=signed)
    padded = stored.is_padding(np.array([values]))
    assert padded is not None
    assert padded[0].tolist() == [bool(one) for one in found]


def test_numbers_are_cut_out_of_cells() -> None:
    stored = StoredPixels(np.array([[0]], "u2"), 4, 2, True, None)
    assert stored.numbers(np.array([0b11_0111_01, 0b1000_11])).tolist() == [7, -8]


REQUIRED = ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated", "SamplesPerPixel", "NumberOfFrames")
OPTIONAL = sorted({*PIXEL_TAGS, *KEPT} - {*REQUIRED, "PixelPaddingRangeLimit"})
JUNK = st.one_of(
    st.sampled_from(
        ["", " ", "1,0", "0,143", "2048//10", "NaN", "inf", "-", "1e999", "\\", "\\\\", "x", "Ünsinn", "1 2"]
    ),
    st.text("0123456789,./x- ", max_size=12).filter(lambda text: "\\" not in text and "," in text),
)


@given(keyword=st.sampled_from(OPTIONAL), junk=JUNK, vr=st.sampled_from(["LO", "DS", "IS", "CS", "UN", "ST"]))
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_junk_in_an_optional_tag_changes_no_picture(keyword: str, junk: str, vr: str, write_dicom: Any) -> None:
    noise = np.random.default_rng(0).integers(0, 4096, (16, 20)).astype(np.uint16)
    plain = {"BitsStored": 12, "HighBit": 11}
    path = write_dicom(noise, **plain, name="plain")
    header = dcmread(path)
    expected = read_radiograph(path, 16)
    value = junk.encode("utf-8")
    value += b" " * (len(value) % 2)
    header[Tag(keyword)] = RawDataElement(Tag(keyword), vr, len(value), value, 0, False, True)
    odd = path.with_name("odd")
    header.save_as(odd, enforce_file_format=True)
    assert read_study_tags(odd).patient == "SECRET-ID"
    np.testing.assert_array_equal(read_radiograph(odd, 16), expected)


def test_a_required_tag_with_junk_names_the_tag_and_not_a_broken_file(write_dicom: Any, ramp: np.ndarray) -> None:
    path: Path = write_dicom(ramp)
    content = path.read_bytes()
    rows = b"\x28\0\x10\0US\2\0\x20\0"
    assert content.count(rows) == 1
    path.write_bytes(content.replace(rows, b"\x28\0\x10\0LO\2\0??"))
    with pytest.raises(Exception, match="image-size-tags: Correct Rows and Columns"):
        read_dicom(path)


def test_every_tag_is_one_of_the_dictionary() -> None:
    assert all(dictionary_VR(keyword) and dictionary_VM(keyword) for keyword in PIXEL_TAGS)
    assert set(PixelTags.__dataclass_fields__) >= {"ignored", "padding", "pixel_height"}
