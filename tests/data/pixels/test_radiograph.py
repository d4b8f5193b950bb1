from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fedaid.data.pixels.image import read_radiograph
from fedaid.data.unusable import UnusableStudy


def saved(path: Path, levels: NDArray[np.uint8]) -> Path:
    Image.fromarray(levels).save(path, format="PNG")
    return path


def written(path: Path, shape: tuple[int, int]) -> Path:
    return saved(path, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def test_a_picture_comes_at_the_size_asked_for(tmp_path: Path) -> None:
    picture = read_radiograph(written(tmp_path / "a", (40, 30)), 16)
    assert (picture.shape, picture.dtype) == ((16, 16), np.float32)
    assert 0 <= picture.min() < picture.max() <= 1


def test_a_strip_is_refused_as_cut_short(tmp_path: Path) -> None:
    with pytest.raises(UnusableStudy, match="image-unreadable"):
        read_radiograph(written(tmp_path / "a", (9 * 4, 4)), 16)


def marked(height: int, width: int, *, corner: tuple[int, int]) -> NDArray[np.uint8]:
    """A grey picture with a bright square in one corner (0 or -1 down, 0 or -1 across) and a black one inside."""
    levels = np.full((height, width), 100, dtype=np.uint8)
    rows, columns = (slice(0, 20) if end == 0 else slice(-20, None) for end in corner)
    levels[rows, columns] = 255
    levels[height // 2 - 10 : height // 2 + 10, width // 2 - 10 : width // 2 + 10] = 0
    return levels


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_orientation_is_kept(corner: tuple[int, int], tmp_path: Path) -> None:
    image = read_radiograph(saved(tmp_path / "a", marked(80, 80, corner=corner)), 32)
    ends = {(down, across): float(image[down, across]) for down in (0, -1) for across in (0, -1)}
    assert max(ends, key=ends.__getitem__) == corner


def test_a_tall_picture_is_padded_left_and_right_and_not_stretched(tmp_path: Path) -> None:
    image = read_radiograph(saved(tmp_path / "a", marked(128, 64, corner=(0, 0))), 32)
    assert (image[:, :8] == 0).all()
    assert (image[:, 24:] == 0).all()
    assert (image[6:12, 9:23] > 0.2).all()
    assert image[2, 10] > 0.9  # the marker, still in its corner
    assert image[2, 21] < 0.5


def test_a_wide_picture_is_padded_above_and_below(tmp_path: Path) -> None:
    image = read_radiograph(saved(tmp_path / "a", marked(64, 128, corner=(-1, -1))), 32)
    assert (image[:8] == 0).all()
    assert (image[24:] == 0).all()
    assert image[21, 29] > 0.9


def test_a_circle_stays_a_circle(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:128, :64]
    disc = (np.hypot(rows - 64, columns - 32) < 24) * np.uint8(200) + np.uint8(20)
    inside = read_radiograph(saved(tmp_path / "a", disc.astype(np.uint8)), 64) > 0.6
    assert abs(int(inside.any(0).sum()) - int(inside.any(1).sum())) <= 1


def test_a_small_picture_is_enlarged(tmp_path: Path) -> None:
    levels = np.zeros((4, 4), dtype=np.uint8)
    levels[:, 2:] = 255
    image = read_radiograph(saved(tmp_path / "a", levels), 32)
    assert (image[:, 24:] > 0.9).all()
