from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from admin.site.doctor import pictures
from admin.site.doctor.collection import untracked
from admin.site.doctor.pictures import SIDE, decoded_album, picture_at, prepared_album
from fedaid.data.pixels.decode_process import Answer


def written(folder: Path, number: int) -> Path:
    levels = np.random.default_rng(number).integers(0, 256, (40, 30)).astype(np.uint8)
    Image.fromarray(levels).save(folder / f"{number}.png")
    return folder / f"{number}.png"


def test_every_picture_is_measured_or_has_its_fault_and_none_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "AT_ONCE", 2)
    files = [(10 + number, written(tmp_path, number)) for number in range(5)]
    (tmp_path / "2.png").write_bytes(b"text")
    said: list[tuple[int, str]] = []

    def track(answers: Iterable[Answer], total: int, doing: str) -> Iterator[Answer]:
        said.append((total, doing))
        yield from answers

    album = decoded_album(files, tmp_path, keep=frozenset({13}), track=track)
    assert sorted(album.facts) == [10, 11, 13, 14]
    assert album.faults == {12: "image-unsupported"}
    assert album.kept[13].shape == (SIDE, SIDE)
    assert len({facts.fingerprint for facts in album.facts.values()}) == 4
    assert said == [(5, "looking at pictures")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{number}.png" for number in range(5)]


def test_without_files_nothing_is_started(tmp_path: Path) -> None:
    assert decoded_album([], tmp_path, keep=frozenset(), track=untracked).facts == {}


def test_the_pictures_of_a_prepared_site_are_read_by_row(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((3, 8, 8)).astype(np.float16)
    rows[1] = 0.5
    np.save(tmp_path / "images.npy", rows)
    wanted = [(5, tmp_path / "images.npy", 2), (6, tmp_path / "images.npy", 1), (7, tmp_path / "images.npy", 3)]
    album = prepared_album(wanted, keep=frozenset({5}))
    assert list(album.facts) == [5]
    assert np.array_equal(album.kept[5], rows[2].astype(np.float32))
    assert album.faults == {6: "image-constant", 7: "image-unreadable"}


def test_a_row_that_is_not_there_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", np.zeros((1, 4, 4), dtype=np.float16))
    with pytest.raises(ValueError, match="no such row"):
        picture_at(tmp_path / "images.npy", 1)
