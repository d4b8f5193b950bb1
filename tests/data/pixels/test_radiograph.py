from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fedaid.data.pixels import dicom
from fedaid.data.pixels.image import read_radiograph
from fedaid.data.unusable import UnusableStudy


def written(path: Path, shape: tuple[int, int]) -> Path:
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(levels).save(path, format="PNG")
    return path


def test_a_picture_comes_at_the_size_asked_for(tmp_path: Path) -> None:
    picture = read_radiograph(written(tmp_path / "a", (40, 30)), 16)
    assert (picture.shape, picture.dtype) == ((16, 16), np.float32)
    assert 0 <= picture.min() < picture.max() <= 1


def test_a_strip_is_refused_as_cut_short(tmp_path: Path) -> None:
    with pytest.raises(UnusableStudy, match="image-unreadable"):
        read_radiograph(written(tmp_path / "a", (9 * 4, 4)), 16)


@pytest.mark.parametrize("isolated", [True, False])
def test_compressed_pixels_are_decoded_in_a_child_unless_this_process_is_expendable(
    isolated: bool, real_dicom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[tuple[int, int]] = []
    in_child = dicom.decoded_in_child

    def count(decode, shape):  # type: ignore[no-untyped-def]
        used.append(shape)
        return in_child(decode, shape)

    monkeypatch.setattr(dicom, "decoded_in_child", count)
    (path,) = real_dicom.glob("06_*")
    read_radiograph(path, 16, isolated=isolated)
    assert len(used) == int(isolated)
