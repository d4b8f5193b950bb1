from __future__ import annotations

import base64
import io
import logging
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import gdcm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    UID,
    BasicTextSRStorage,
    HTJ2KLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
)

from fedaid.data.header.pixel_tags import pixel_tags
from fedaid.data.pixels.dicom import read_dicom
from fedaid.data.pixels.image import read_image
from fedaid.data.pixels.stored_pixels import codec, stored_pixels
from fedaid.data.unusable import UnusableStudy

WriteDicom = Callable[..., Path]


def reason(path: Path) -> str:
    with pytest.raises(UnusableStudy) as caught:
        read_dicom(path)
    return caught.value.reason


def test_a_picture_is_float32_from_zero_to_one_and_upright(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    picture = read_dicom(write_dicom(ramp))
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, ramp / 4095, atol=2e-3)


def test_monochrome1_is_inverted(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    picture = read_dicom(write_dicom(ramp, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_allclose(picture, 1 - ramp / 4095, atol=2e-3)


def test_presentation_lut_shape_inverse_does_not_invert_again(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert read_dicom(path)[0, 0] == 1.0


def test_window_is_applied_before_the_inversion(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    window = {"WindowCenter": 512, "WindowWidth": 1024}
    picture = read_dicom(write_dicom(ramp, PhotometricInterpretation="MONOCHROME1", **window))
    assert (picture[ramp > 1100] == 0).all()
    assert picture[ramp < 900].min() > 0


def test_window_counts_in_units_after_the_rescale(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    rescale = {"RescaleSlope": 1, "RescaleIntercept": -1024}
    picture = read_dicom(write_dicom(ramp, WindowCenter=0, WindowWidth=400, **rescale))
    assert (picture[ramp < 800] == 0).all()
    assert (picture[ramp > 1250] == 1).all()


def test_negative_values_are_darker_than_positive(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    signed = ramp.astype(np.int16) - 2048
    np.testing.assert_allclose(read_dicom(write_dicom(signed)), ramp / 4095, atol=2e-3)


def test_bits_above_those_stored_are_ignored(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    overlaid = ramp | (np.arange(48) % 2 * 0x8000).astype(np.uint16)
    picture = read_dicom(write_dicom(overlaid, BitsStored=12, HighBit=11))
    np.testing.assert_allclose(picture, ramp / 4095, atol=2e-3)


def test_padding_takes_no_part_in_the_range(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    signed = ramp.astype(np.int16)
    signed[:, :4] = -20000
    picture = read_dicom(write_dicom(signed, PixelPaddingValue=-20000))
    assert (picture[:, :4] == 0).all()
    np.testing.assert_allclose(picture[:, 4:], ramp[:, 4:] / 4095, atol=5e-3)


def test_missing_samples_per_pixel_means_one(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert read_dicom(write_dicom(ramp, SamplesPerPixel=None)).shape == ramp.shape


def test_an_object_without_preamble_is_read(write_dicom: WriteDicom, ramp: np.ndarray, tmp_path: Path) -> None:
    header = dcmread(write_dicom(ramp))
    del header.file_meta, header.preamble
    bare = tmp_path / "bare"
    header.save_as(bare, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert bare.read_bytes()[128:132] != b"DICM"
    np.testing.assert_allclose(read_dicom(bare), ramp / 4095, atol=2e-3)


def transcoded(source: Path, syntax: str) -> Path:
    """The file in another transfer syntax, written by GDCM."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(source))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    target = source.with_suffix(".transcoded")
    writer.SetFileName(str(target))
    assert writer.Write()
    return target


@pytest.mark.parametrize(
    "syntax",
    [
        "JPEGLosslessProcess14",
        "JPEGLosslessProcess14_1",
        "JPEGLSLossless",
        "JPEGLSNearLossless",
        "JPEG2000Lossless",
        "JPEG2000",
        "RLELossless",
        "DeflatedExplicitVRLittleEndian",
    ],
)
def test_compression_of_12_bits_is_undone(syntax: str, write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = transcoded(write_dicom(ramp, BitsStored=12, HighBit=11), syntax)
    np.testing.assert_allclose(read_dicom(path), ramp / 4095, atol=2e-3)


def jpeg_baseline(write_dicom: WriteDicom, ramp: np.ndarray) -> Path:
    grey, buffer = (ramp // 16).astype(np.uint8), io.BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=98)
    path = write_dicom(grey)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = JPEGBaseline8Bit, encapsulate([buffer.getvalue()])
    header.save_as(path)
    return path


def test_jpeg_baseline_is_decoded(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    np.testing.assert_allclose(read_dicom(jpeg_baseline(write_dicom, ramp)), ramp / 4095, atol=0.03)


def test_jpeg_extended_of_12_bits_is_decoded(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = transcoded(write_dicom(ramp, BitsStored=12, HighBit=11), "JPEGExtendedProcess2_4")
    assert dcmread(path).file_meta.TransferSyntaxUID == JPEGExtended12Bit
    np.testing.assert_allclose(read_dicom(path), ramp / 4095, atol=0.01)


def test_a_real_jpeg_of_12_bits_has_the_values_that_other_readers_give() -> None:
    path = Path(str(get_testdata_file("JPEG-lossy.dcm")))
    stored = stored_pixels(header := dcmread(path), pixel_tags(header)).cells
    assert (stored[420, 140], stored[230, 120], stored.max()) == (244, 95, 264)


def test_several_frames_are_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, NumberOfFrames=2, PixelData=ramp.tobytes() * 2)) == "image-multiframe"


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_is_refused(write_dicom: WriteDicom, photometric: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": photometric, "PlanarConfiguration": 0}
    assert reason(write_dicom(pixels, **tags)) == "image-colour"


def test_a_grey_jpeg_in_colour_is_the_grey_film(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    grey, buffer = (ramp // 16).astype(np.uint8), io.BytesIO()
    Image.fromarray(np.stack([grey] * 3, -1)).save(buffer, "JPEG", quality=98)
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0}
    path = write_dicom(np.stack([grey] * 3, -1), **tags)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = JPEGBaseline8Bit, encapsulate([buffer.getvalue()])
    header.save_as(path)
    np.testing.assert_allclose(read_dicom(path), ramp / 4095, atol=0.03)


@pytest.mark.parametrize("planar", [0, 1])
def test_equal_channels_give_the_picture_of_the_same_png(
    planar: int, write_dicom: WriteDicom, ramp: np.ndarray, tmp_path: Path
) -> None:
    grey = (ramp // 16).astype(np.uint8)
    Image.fromarray(np.stack([grey] * 3, -1)).save(tmp_path / "film.png")
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": planar}
    path = write_dicom(
        np.stack([grey] * 3, -1), **tags, PixelData=np.stack([grey] * 3, -1 if planar == 0 else 0).tobytes()
    )
    assert np.array_equal(read_dicom(path), read_image(tmp_path / "film.png"))


def test_one_frame_is_not_assumed_where_the_number_is_junk(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert read_dicom(write_dicom(ramp, NumberOfFrames=0)).shape == ramp.shape
    assert reason(write_dicom(ramp, NumberOfFrames=0, PixelData=ramp.tobytes() * 2)) == "image-multiframe"


@pytest.mark.parametrize("representation", ["OB", "UN"])
def test_pixels_in_another_value_representation_are_read(
    representation: str, write_dicom: WriteDicom, ramp: np.ndarray
) -> None:
    path = write_dicom(ramp)
    content = path.read_bytes()
    place = content.index(b"\xe0\x7f\x10\0OW") + 4
    path.write_bytes(content[:place] + representation.encode() + content[place + 2 :])
    np.testing.assert_allclose(read_dicom(path), ramp / 4095, atol=2e-3)


def test_an_unusable_bits_allocated_follows_from_the_number_of_bytes(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    expected = read_dicom(write_dicom(ramp))
    for tags in ({"BitsAllocated": 12}, {"BitsAllocated": 0}, {"BitsAllocated": 12, "BitsStored": None}):
        assert np.array_equal(read_dicom(write_dicom(ramp, **tags)), expected)


def test_a_palette_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, PhotometricInterpretation="PALETTE COLOR")) == "image-colour"


def test_unknown_polarity_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, PhotometricInterpretation=None)) == "image-photometric"


def test_a_constant_picture_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(np.full_like(ramp, 9))) == "image-constant"


def test_values_that_are_not_numbers_are_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    values = ramp.astype(np.float32)
    values[3, 3] = np.nan
    tags = {"PixelData": None, "FloatPixelData": values.tobytes(), "BitsStored": None, "HighBit": None}
    path = write_dicom(ramp, **tags, BitsAllocated=32, PixelRepresentation=None)
    assert reason(path) == "image-not-finite"


def test_a_rescale_that_overflows_is_ignored(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    picture = read_dicom(write_dicom(ramp, RescaleSlope="1e308", RescaleIntercept="0"))
    assert np.array_equal(picture, read_dicom(write_dicom(ramp)))


def test_zero_rows_are_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, Rows=0)) == "image-size-tags"


def test_an_image_that_is_cut_before_or_within_its_pixels_is_broken_and_not_of_another_kind(
    write_dicom: WriteDicom, ramp: np.ndarray
) -> None:
    path = transcoded(write_dicom(ramp), "RLELossless")
    whole = path.read_bytes()
    for end in (whole.index(b"MONOCHROME2") + 6, len(whole) - 200):
        path.write_bytes(whole[:end])
        assert reason(path) == "image-unreadable"


@pytest.mark.parametrize(("said", "kept"), [("YES", False), ("NO", True), ("", True)])
def test_an_image_that_declares_names_in_its_pixels_is_refused(
    said: str, kept: bool, write_dicom: WriteDicom, ramp: np.ndarray
) -> None:
    path = write_dicom(ramp, BurnedInAnnotation=said)
    if kept:
        assert read_dicom(path).shape == ramp.shape
    else:
        assert reason(path) == "image-burned-in"


def test_an_object_without_pixels_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    item = Dataset()
    item.TextValue = "SECRET"
    tags = {"SOPClassUID": BasicTextSRStorage, "PixelData": None, "Rows": None, "Columns": None}
    assert reason(write_dicom(ramp, **tags, ContentSequence=[item])) == "image-unsupported"


def test_more_pixels_than_the_limit_are_refused_before_decoding(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, Rows=65535, Columns=65535)) == "image-too-large"


def test_too_few_bytes_of_pixels_are_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    assert reason(write_dicom(ramp, PixelData=ramp.tobytes()[:-2])) == "image-unreadable"


HTJ2K_STREAM = base64.b64decode(
    "/0//UQApQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQ"
    "kJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAH4AAf+TwAAmSfYFB3QAAMAAEsAAEwAiAYd0AEbyA4d0AMAAE0AAE4AQyAEC"
    "dAAe6ZEAw1QAwAAVEAAFYIZhGKpwgnUAfvTDDz/+wFKB7LYAwAArIAAWkO7u7u7nwKenp8J4AP79/f39/f39/Yxge/Yxgey6AP/Z"
)
"""A ramp of 16 x 16 pixels, from 0 to 4080 in steps of 16, as OpenJPH wrote it."""


def test_htj2k_is_decoded(write_dicom: WriteDicom) -> None:
    ramp = 16 * np.arange(256, dtype=np.uint16).reshape(16, 16)
    path = write_dicom(ramp, BitsStored=12, HighBit=11)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = HTJ2KLossless, encapsulate([HTJ2K_STREAM])
    header.save_as(path)
    np.testing.assert_array_equal(read_dicom(path), read_dicom(write_dicom(ramp, name="plain")))


def compressed_by(syntax: str) -> FileDataset:
    header = FileDataset("", {}, file_meta=FileMetaDataset())
    header.file_meta.TransferSyntaxUID = UID(syntax)
    return header


@pytest.mark.parametrize(
    ("syntax", "code"),
    [
        (MPEG2MPML, "image-codec-video"),
        ("1.2.840.10008.1.2.4.107", "image-codec-video"),
        ("1.2.840.10008.1.2.4.110", "image-codec-jpeg-xl"),
        ("1.2.840.10008.1.2.4.95", "image-codec-other"),
        ("1.2.3.4", "image-codec-other"),
    ],
)
def test_a_compression_without_decoder_is_named(syntax: str, code: str) -> None:
    with pytest.raises(UnusableStudy) as caught:
        codec(compressed_by(syntax), bits=12)
    assert caught.value.reason == code


def test_a_file_without_decoder_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = MPEG2MPML, encapsulate([b"\0" * 64])
    header.save_as(path)
    assert reason(path) == "image-codec-video"


def test_htj2k_without_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", False)
    with pytest.raises(UnusableStudy, match=r"image-codec-htj2k: .*High-Throughput JPEG 2000"):
        codec(compressed_by(HTJ2KLossless), bits=12)


def test_a_stream_that_is_no_jpeg2000_is_refused(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    path = write_dicom(ramp)
    header = dcmread(path)
    header.file_meta.TransferSyntaxUID, header.PixelData = JPEG2000, encapsulate([b"\0" * 64])
    header.save_as(path)
    assert reason(path) == "image-unreadable"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert reason(tmp_path / "none") == "image-missing"


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\0" * 128 + b"DICM", b"\x08\0" * 400, struct.pack("<400H", *[8] * 400)]
)
def test_bytes_that_are_no_image_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(data)
    assert reason(path).startswith("image-un")


@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_cut_or_damaged_file_is_read_or_refused(data: st.DataObject, write_dicom: WriteDicom) -> None:
    noise = np.random.default_rng(0).integers(0, 4096, (8, 8)).astype(np.uint16)
    path = write_dicom(noise, WindowCenter=[2000, 1000], WindowWidth=[3000, 500], RescaleSlope=1, RescaleIntercept=0)
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(128, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        picture = read_dicom(path)
    except UnusableStudy:
        return
    assert picture.min() >= 0
    assert picture.max() <= 1


def test_nothing_is_warned_or_logged_about_values_of_tags(
    write_dicom: WriteDicom, ramp: np.ndarray, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_dicom(ramp, SpecificCharacterSet="ISO_IR 100", WindowCenter=2000, WindowWidth=4000)
    content = path.read_bytes()
    assert content.count(b"ISO_IR 100") == 1
    path.write_bytes(content.replace(b"ISO_IR 100", b"SECRETCODE"))  # pydicom warns and quotes it
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        read_dicom(path)
    printed = capfd.readouterr()
    assert not caught
    assert caplog.text + printed.out + printed.err == ""


def test_a_refusal_hides_the_error_that_quotes_the_file(write_dicom: WriteDicom, ramp: np.ndarray) -> None:
    with pytest.raises(UnusableStudy) as caught:
        read_dicom(write_dicom(ramp, PixelData=ramp.tobytes()[:-2]))
    assert caught.value.__suppress_context__


def test_identifiers_are_not_parsed(write_dicom: WriteDicom, ramp: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Dataset] = []

    def spy(*args: object, **options: object) -> Dataset:
        seen.append(dcmread(*args, **options))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr("fedaid.data.pixels.dicom.dcmread", spy)
    read_dicom(write_dicom(ramp))
    assert len(seen) == 1
    assert not any(name in seen[0] for name in ("PatientID", "PatientName", "AccessionNumber"))


# Looked at, one by one: in the first patch lies air or lung, in the second bone, mediastinum or breast tissue.
# Each patch is (row, column) of its centre as a share of the height and the width.
PICTURES = {
    "01": ((440, 440), (0.43, 0.21), (0.7, 0.52)),
    "02": ((1955, 1841), (0.27, 0.22), (0.85, 0.5)),
    "03": ((1955, 1841), (0.27, 0.22), (0.85, 0.5)),
    "04": ((2128, 2000), (0.35, 0.2), (0.85, 0.45)),
    "05": ((1024, 1024), (0.4, 0.2), (0.8, 0.45)),
    "06": ((1024, 1024), (0.4, 0.33), (0.85, 0.5)),
    "07": ((1024, 1024), (0.8, 0.45), (0.4, 0.2)),  # its tag is falsified, and it is followed: the negative of 05
    "08": ((169, 211), (0.95, 0.2), (0.35, 0.4)),
    "09": ((1576, 1976), (0.1, 0.1), (0.85, 0.5)),
    "10": ((3062, 2394), (0.5, 0.1), (0.68, 0.75)),
    "11": ((1760, 1760), (0.5, 0.33), (0.3, 0.455)),
    "12": ((1760, 1760), (0.5, 0.33), (0.3, 0.455)),
    "14": ((128, 128), (0.1, 0.05), (0.2, 0.5)),
}
REFUSALS = {"13": "image-multiframe", "15": "image-unreadable"}


def real_file(folder: Path, number: str) -> Path:
    (path,) = folder.glob(f"{number}_*.dcm")
    return path


def patch_mean(picture: np.ndarray, centre: tuple[float, float]) -> float:
    rows, columns = (slice(int((at - 0.02) * size), int((at + 0.02) * size) + 1)
                     for at, size in zip(centre, picture.shape, strict=True))  # fmt: skip
    return float(picture[rows, columns].mean())


def test_every_real_file_is_expected(real_dicom: Path) -> None:
    assert sorted(path.name[:2] for path in real_dicom.glob("*.dcm")) == sorted([*PICTURES, *REFUSALS])


@pytest.mark.parametrize("number", PICTURES)
def test_a_real_file_has_its_size_and_shows_dense_parts_bright(number: str, real_dicom: Path) -> None:
    shape, airy, dense = PICTURES[number]
    picture = read_dicom(real_file(real_dicom, number))
    assert picture.shape == shape
    assert patch_mean(picture, dense) > patch_mean(picture, airy) + 0.15


@pytest.mark.parametrize("number", REFUSALS)
def test_a_real_file_is_refused_for_its_reason(number: str, real_dicom: Path) -> None:
    assert reason(real_file(real_dicom, number)) == REFUSALS[number]


def test_two_codecs_of_one_real_exposure_agree(real_dicom: Path) -> None:
    for one, other in (("02", "03"), ("11", "12")):
        first, second = (read_dicom(real_file(real_dicom, number)) for number in (one, other))
        assert np.abs(first - second).mean() < 0.005
