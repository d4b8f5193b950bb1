"""Films whose tags contradict their pixels, read as files."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from fedaid.data.pixels.dicom import read_dicom
from fedaid.data.pixels.intensity import unit_range
from fedaid.data.unusable import UnusableStudy
from tests.field.export import chest, film, save

GREY = np.round(chest(3) * 255).astype("u1")
WIDE = np.round(chest(3) * 65535).astype("<u2")
RGB = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
YBR = RGB | {"PhotometricInterpretation": "YBR_FULL"}


def channels(*planes: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.stack(planes, -1)


def luma(grey: NDArray[np.unsignedinteger]) -> NDArray[np.generic]:
    middle = np.full_like(grey, 1 << 8 * grey.itemsize - 1)
    return channels(grey, middle, middle)


def in_planes(pixels: NDArray[np.generic], bits: int, **tags: object) -> Dataset:
    header = film(3, pixels, bits=bits, **tags)
    header.PixelData = np.moveaxis(pixels, -1, 0).tobytes()
    return header


def jpeg(pixels: NDArray[np.generic], bits: int = 8, **tags: object) -> Dataset:
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=98)
    allocated = {"BitsAllocated": 8 if bits == 8 else 16}
    header = film(3, GREY, bits=bits, **(allocated | tags))
    header.PixelData = encapsulate([stream.getvalue() + b"\0" * (stream.tell() % 2)])
    header["PixelData"].is_undefined_length = True
    header.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    return header


@pytest.mark.parametrize(
    "made",
    [
        lambda: jpeg(channels(GREY, GREY, GREY)),
        lambda: jpeg(GREY, **YBR),
        lambda: jpeg(GREY, bits=12),
        lambda: jpeg(channels(GREY, GREY, GREY), **(YBR | {"PlanarConfiguration": 1})),
        lambda: film(3, luma(WIDE), bits=16, **YBR),
        lambda: in_planes(luma(WIDE), 16, **(YBR | {"PlanarConfiguration": 1})),
        lambda: in_planes(luma(GREY), 8, **YBR),
        lambda: in_planes(channels(WIDE, WIDE, WIDE), 16, **RGB),
        lambda: film(3, channels(GREY, GREY, GREY), bits=8, **(RGB | {"PlanarConfiguration": 1})),
        lambda: film(3, luma(GREY), bits=8, **(YBR | {"PhotometricInterpretation": "YBR_FULL_422"})),
        lambda: film(3, WIDE // 16, BitsAllocated=8),
    ],
)
def test_the_pixels_are_believed(tmp_path: Path, made: Callable[[], Dataset]) -> None:
    save(made(), tmp_path / "film.dcm")
    assert float(np.abs(read_dicom(tmp_path / "film.dcm") - unit_range(chest(3))).mean()) < 0.02


@pytest.mark.parametrize(
    "pixels", [channels(GREY, GREY // 2, GREY), channels(WIDE, WIDE // 2 + 16384, WIDE // 2 + 16384)]
)
@pytest.mark.parametrize("tags", [RGB, YBR])
def test_real_colour_stays_refused(tmp_path: Path, pixels: NDArray[np.generic], tags: dict[str, object]) -> None:
    save(film(3, pixels, bits=8 * pixels.itemsize, **tags), tmp_path / "film.dcm")  # type: ignore[arg-type]
    with pytest.raises(UnusableStudy, match="image-colour"):
        read_dicom(tmp_path / "film.dcm")
