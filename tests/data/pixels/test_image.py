from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fedaid.data.pixels.image import read_image
from fedaid.data.unusable import UnusableStudy

GREY = np.linspace(0, 255, 24 * 40).reshape(24, 40).astype(np.uint8)
UNIT = GREY / 255


def saved(image: Image.Image, path: Path, kind: str, **options: object) -> Path:
    image.save(path, kind, **options)
    return path


def reason(path: Path) -> str:
    with pytest.raises(UnusableStudy) as caught:
        read_image(path)
    return caught.value.reason


def test_png_of_8_bits(tmp_path: Path) -> None:
    picture = read_image(saved(Image.fromarray(GREY), tmp_path / "a", "PNG"))
    assert picture.dtype == np.float32
    np.testing.assert_allclose(picture, UNIT, atol=5e-3)


def test_png_of_16_bits_keeps_its_depth(tmp_path: Path) -> None:
    fine = np.linspace(1000, 1200, 24 * 40).reshape(24, 40).astype(np.uint16)
    picture = read_image(saved(Image.fromarray(fine), tmp_path / "a", "PNG"))
    assert len(np.unique(picture)) > 190


def test_12_bits_in_a_16_bit_png_fill_the_range(tmp_path: Path) -> None:
    grey = GREY.astype(np.uint16) * 16
    np.testing.assert_allclose(read_image(saved(Image.fromarray(grey), tmp_path / "a", "PNG")), UNIT, atol=5e-3)


def test_jpeg(tmp_path: Path) -> None:
    picture = read_image(saved(Image.fromarray(GREY), tmp_path / "a", "JPEG", quality=97))
    np.testing.assert_allclose(picture, UNIT, atol=0.03)


def test_dicom(write_dicom: Callable[..., Path]) -> None:
    np.testing.assert_allclose(read_image(write_dicom(GREY)), UNIT, atol=5e-3)


def test_the_content_decides_and_not_the_name(tmp_path: Path, write_dicom: Callable[..., Path]) -> None:
    png = saved(Image.fromarray(GREY), tmp_path / "picture.dcm", "PNG")
    dicom = write_dicom(GREY, name="other.png")
    np.testing.assert_allclose(read_image(png), read_image(dicom), atol=1e-6)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_in_other_modes_is_grey(mode: str, tmp_path: Path) -> None:
    path = saved(Image.fromarray(GREY).convert(mode), tmp_path / "a", "PNG")
    np.testing.assert_allclose(read_image(path), UNIT, atol=5e-3)


def test_colour_is_refused(tmp_path: Path) -> None:
    image = Image.fromarray(GREY).convert("RGB")
    image.putpixel((3, 3), (255, 230, 0))
    assert reason(saved(image, tmp_path / "a", "PNG")) == "image-colour"


def test_an_exif_orientation_is_ignored(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(Image.fromarray(GREY), tmp_path / "a", "JPEG", exif=exif)
    assert read_image(path).shape == GREY.shape


def test_an_animation_is_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(255 - GREY)]
    path = saved(Image.fromarray(GREY), tmp_path / "a", "PNG", save_all=True, append_images=frames)
    assert reason(path) == "image-multiframe"


def test_more_pixels_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.data.pixels.image.MAX_PIXELS", 100)
    assert reason(saved(Image.fromarray(GREY), tmp_path / "a", "PNG")) == "image-too-large"


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert reason(saved(Image.fromarray(GREY), tmp_path / "a", "PNG")) == "image-too-large"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    path = saved(Image.fromarray(noise), tmp_path / "a", kind)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert reason(path) == "image-unreadable"


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "GIF"])
def test_other_formats_are_refused(kind: str, tmp_path: Path) -> None:
    assert reason(saved(Image.fromarray(GREY), tmp_path / "a.png", kind)) == "image-unsupported"


@pytest.mark.parametrize("data", [b"", b"PK\3\4 a zip", b"hello" * 100])
def test_bytes_that_are_no_image_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert reason(path) == "image-unsupported"


def test_a_constant_picture_is_refused(tmp_path: Path) -> None:
    assert reason(saved(Image.new("L", (9, 9), 7), tmp_path / "a", "PNG")) == "image-constant"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert reason(tmp_path / "none") == "image-missing"
    assert reason(tmp_path) == "image-unreadable"
