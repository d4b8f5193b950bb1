from __future__ import annotations

from pathlib import Path

import numpy as np

from admin.site.prepare.pixels import GROWTH, grow


def test_rows_stay_while_the_file_grows(tmp_path: Path) -> None:
    file = tmp_path / "pixels.npy"
    grow(file, 3, image_size=4)
    early = np.load(file, mmap_mode="r+", allow_pickle=False)
    early[2] = 0.5
    grow(file, 10**5, image_size=4)
    late = np.load(file, mmap_mode="r", allow_pickle=False)
    assert (late.shape, late.dtype) == ((10**5, 4, 4), np.float16)
    assert (late[2] == 0.5).all()
    assert not late[:2].any()
    assert not late[3:].any()
    early[0] = 0.25
    assert (late[0] == 0.25).all(), "both see the same file"


def test_it_grows_in_steps_and_never_shrinks(tmp_path: Path) -> None:
    file = tmp_path / "pixels.npy"
    grow(file, 3, image_size=4)
    grow(file, 4, image_size=4)
    assert len(np.load(file, allow_pickle=False)) == 3 + GROWTH
    grow(file, 1, image_size=4)
    assert len(np.load(file, allow_pickle=False)) == 3 + GROWTH


def test_space_is_taken_before_the_header_names_it(tmp_path: Path) -> None:
    file = tmp_path / "pixels.npy"
    grow(file, 3, image_size=64)
    grow(file, 5000, image_size=64)
    assert file.stat().st_blocks * 512 >= 5000 * 64 * 64 * 2
