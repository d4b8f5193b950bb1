from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fedaid.data import transforms
from fedaid.data.cache import cached_images
from fedaid.data.manifest import Study


def write(path: Path, seed: int) -> Path:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)).save(path, format="PNG")
    return path


@pytest.fixture
def studies(tmp_path: Path) -> list[Study]:
    """Four studies; the second has no picture in its file, the third an unknown format."""
    (tmp_path / "data").mkdir()
    files = [write(tmp_path / "data" / str(number), number) for number in range(4)]
    files[1].write_bytes(b"\x89PNG\r\n\x1a\n torn")
    files[2].write_text("no picture")
    return [
        Study(line=row + 2, patient_id=f"P{row}", image=file, text="clear lungs", split="train", labels=())
        for row, file in enumerate(files)
    ]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were decoded."""
    names: list[str] = []
    read = transforms.read_image

    def count(path: Path) -> Any:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(transforms, "read_image", count)
    return names


def images(studies: Sequence[Study], tmp_path: Path, size: int = 8) -> Any:
    return cached_images(studies, tmp_path / "cache", image_size=size)


def test_bad_images_are_skipped_and_counted_by_reason(studies: list[Study], tmp_path: Path) -> None:
    cache = images(studies, tmp_path)
    assert cache.studies == {0: studies[0], 3: studies[3]}
    assert cache.skipped == {"image-unreadable": 1, "image-unsupported": 1}


def test_the_second_call_reads_nothing_and_gives_the_same(
    studies: list[Study], tmp_path: Path, reads: list[str]
) -> None:
    first = images(studies, tmp_path)
    assert len(reads) == 4
    second = images(studies, tmp_path)
    assert len(reads) == 4
    assert (first.studies, first.skipped) == (second.studies, second.skipped)
    assert np.array_equal(first.pixels, second.pixels)


def test_pixels_are_memory_mapped_and_in_the_unit_range(studies: list[Study], tmp_path: Path) -> None:
    pixels = images(studies, tmp_path).pixels
    assert isinstance(pixels, np.memmap)
    assert not pixels.flags.writeable
    assert (pixels.shape, pixels.dtype) == ((4, 8, 8), np.float16)
    assert 0 <= pixels[0].min() < pixels[0].max() <= 1


def test_a_row_holds_the_picture_of_its_study(studies: list[Study], tmp_path: Path) -> None:
    alone = images(studies[3:], tmp_path)
    assert np.array_equal(images(studies, tmp_path).pixels[3], alone.pixels[0])


def test_a_replaced_file_is_decoded_again(studies: list[Study], tmp_path: Path, reads: list[str]) -> None:
    before = images(studies, tmp_path).pixels[0].copy()
    write(studies[0].image, 99)
    os.utime(studies[0].image, ns=(1, 1))
    assert not np.array_equal(images(studies, tmp_path).pixels[0], before)
    assert len(reads) == 8


def test_another_size_is_another_cache(studies: list[Study], tmp_path: Path) -> None:
    assert images(studies, tmp_path, 8).pixels.shape == (4, 8, 8)
    assert images(studies, tmp_path, 16).pixels.shape == (4, 16, 16)


@pytest.mark.parametrize("lost", ["*.json", "*.npy"])
def test_a_torn_cache_is_made_again(lost: str, studies: list[Study], tmp_path: Path, reads: list[str]) -> None:
    before = images(studies, tmp_path)
    (file,) = (tmp_path / "cache").glob(lost)
    expected = np.array(before.pixels)
    file.unlink()
    again = images(studies, tmp_path)
    assert len(reads) == 8
    assert np.array_equal(again.pixels, expected)
    assert again.studies == before.studies


def test_a_crash_while_decoding_leaves_nothing_that_is_believed(
    studies: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transforms, "read_image", crash)
        with pytest.raises(KeyboardInterrupt):
            images(studies, tmp_path)
    assert images(studies, tmp_path).studies.keys() == {0, 3}


def test_no_file_of_the_cache_names_a_study(studies: list[Study], tmp_path: Path) -> None:
    images(studies, tmp_path)
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 2
    for file in files:
        assert str(tmp_path / "data").encode() not in file.read_bytes()
        assert b"clear lungs" not in file.read_bytes()
