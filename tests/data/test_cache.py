from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from fedaid.data import cache as module
from fedaid.data.cache import cached_images
from fedaid.data.manifest import Study, read_manifest
from fedaid.data.pixels import image as radiograph
from fedaid.data.pixels.decode_process import Answer, Request
from fedaid.data.pixels.decode_worker import PixelRows, answer_to
from fedaid.data.pixels.image import read_radiograph
from fedaid.errors import InputError


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


class PoolHere(nullcontext["PoolHere"]):
    """Answers as a :class:`DecodePool` does, in this process, which is faster than to start another."""

    asked: ClassVar[list[str]] = []

    def __init__(self, pixels: Path, **_: object) -> None:
        super().__init__(self)
        self._pixels = PixelRows(pixels)

    def __exit__(self, *_: object) -> None:
        self._pixels.close()

    def run(self, requests: Sequence[Request]) -> Iterator[Answer]:
        for request in requests:
            self.asked.append(request.path.name)
            answer = answer_to({"path": request.path, "row": request.row}, self._pixels)
            yield Answer(request.key, answer["reason"])


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were decoded; in this process."""
    monkeypatch.setattr(module, "DecodePool", PoolHere)
    monkeypatch.setattr(PoolHere, "asked", [])
    return PoolHere.asked


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


@pytest.mark.usefixtures("reads")
def test_pixels_are_memory_mapped_and_in_the_unit_range(studies: list[Study], tmp_path: Path) -> None:
    pixels = images(studies, tmp_path).pixels
    assert isinstance(pixels, np.memmap)
    assert not pixels.flags.writeable
    assert (pixels.shape, pixels.dtype) == ((4, 8, 8), np.float16)
    assert 0 <= pixels[0].min() < pixels[0].max() <= 1


@pytest.mark.usefixtures("reads")
def test_a_row_holds_the_picture_of_its_study(studies: list[Study], tmp_path: Path) -> None:
    alone = images(studies[3:], tmp_path)
    assert np.array_equal(images(studies, tmp_path).pixels[3], alone.pixels[0])


def test_a_replaced_file_is_decoded_again(studies: list[Study], tmp_path: Path, reads: list[str]) -> None:
    before = images(studies, tmp_path).pixels[0].copy()
    write(studies[0].image, 99)
    os.utime(studies[0].image, ns=(1, 1))
    assert not np.array_equal(images(studies, tmp_path).pixels[0], before)
    assert len(reads) == 8


@pytest.mark.usefixtures("reads")
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


@pytest.mark.usefixtures("reads")
def test_a_crash_while_decoding_leaves_nothing_that_is_believed(
    studies: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(radiograph, "image_picture", crash)
        with pytest.raises(KeyboardInterrupt):
            images(studies, tmp_path)
    assert images(studies, tmp_path).studies.keys() == {0, 3}


@pytest.mark.usefixtures("reads")
def test_no_file_of_the_cache_names_a_study(studies: list[Study], tmp_path: Path) -> None:
    images(studies, tmp_path)
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 2
    for file in files:
        assert str(tmp_path / "data").encode() not in file.read_bytes()
        assert b"clear lungs" not in file.read_bytes()


def test_other_processes_decode_and_give_what_this_one_would(
    studies: list[Study], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {row: read_radiograph(studies[row].image, 8).astype(np.float16) for row in (0, 3)}

    def refuse(path: Path) -> Any:
        raise AssertionError

    monkeypatch.setattr(radiograph, "image_picture", refuse)
    cache = images(studies, tmp_path)
    assert cache.studies.keys() == expected.keys()
    for row, picture in expected.items():
        np.testing.assert_array_equal(cache.pixels[row], picture)


def test_a_full_disk_is_found_before_anything_is_decoded(
    studies: list[Study], tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, start: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        images(studies, tmp_path)
    assert reads == []


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A site that ``python -m admin prepare`` made: two studies, whose pixels are rows 2 and 0 of a file of three."""
    pixels = np.stack([np.full((8, 8), row / 4, dtype=np.float16) for row in range(3)])
    np.save(tmp_path / "images-8.npy", pixels, allow_pickle=False)
    (tmp_path / "manifest.csv").write_text(
        "study_id,patient_id,image,image_row,report\na,p,images-8.npy,2,clear\nb,q,images-8.npy,0,clear\n"
    )
    return tmp_path


def test_a_prepared_site_is_mapped_and_not_decoded(prepared: Path, reads: list[str]) -> None:
    studies = read_manifest(prepared).studies
    cache = cached_images(studies, prepared / "cache", image_size=8)
    assert [(row, study.line) for row, study in cache.studies.items()] == [(2, 2), (0, 3)]
    assert cache.pixels[2, 0, 0] == 0.5
    assert isinstance(cache.pixels, np.memmap)
    assert reads == []
    assert not (prepared / "cache").exists()


def test_a_site_prepared_for_another_size_is_refused_with_the_way_out(prepared: Path) -> None:
    with pytest.raises(InputError, match="--image-size 16"):
        cached_images(read_manifest(prepared).studies, prepared / "cache", image_size=16)


def test_a_row_that_is_not_there_is_refused(prepared: Path) -> None:
    manifest = prepared / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("npy,2,", "npy,3,"))
    with pytest.raises(InputError, match="prepared"):
        cached_images(read_manifest(prepared).studies, prepared / "cache", image_size=8)


def test_what_the_check_raises_ends_the_decoding_and_leaves_no_cache(studies: list[Study], tmp_path: Path) -> None:
    def check() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        cached_images(studies, tmp_path / "cache", image_size=8, workers=1, check=check)
    assert list((tmp_path / "cache").iterdir()) == []
