from __future__ import annotations

import errno
import gc
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.training.processes.array_file import (
    LARGE,
    mapped,
    out_of_memory,
    put_aside,
    save_arrays,
    say_memory_is_used,
    take_arrays,
    untouched_zeros,
)

ARRAYS: dict[str, NDArray[Any]] = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "scalar": np.array(3.5, np.float32),
    "count": np.array(7),
    "flags": np.array([True, False]),
    "packed": np.arange(3, dtype=np.uint16),
    "half": np.arange(3, dtype=np.float16),
    "steps": np.array([-3, 3], np.int8),
    "none": np.zeros((0, 4), np.float32),
}


def held() -> int:
    """Bytes of this process that no file has."""
    return int(re.findall(r"RssAnon:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


def equal(found: dict[str, NDArray[Any]]) -> bool:
    assert found.keys() == ARRAYS.keys()
    return all(
        type(array) is np.ndarray
        and (array.dtype, array.shape, array.tobytes()) == (ARRAYS[n].dtype, ARRAYS[n].shape, ARRAYS[n].tobytes())
        for n, array in found.items()
    )


def test_arrays_are_taken_to_the_bit_and_the_file_goes(tmp_path: Path) -> None:
    save_arrays(ARRAYS, tmp_path / "file")
    assert equal(take_arrays(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_arrays_put_aside_are_the_same_bits_and_can_be_changed(tmp_path: Path) -> None:
    aside = put_aside(ARRAYS, tmp_path)
    assert equal(aside)
    assert list(tmp_path.iterdir()) == []
    aside["matrix"] += 1
    assert np.array_equal(aside["matrix"], ARRAYS["matrix"] + 1)


def test_without_room_on_the_disk_they_are_put_aside_in_memory_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say_memory_is_used.cache_clear()
    for _ in range(2):
        assert equal(put_aside(ARRAYS, tmp_path / "DOE^JANE"))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "need memory instead" in caplog.text
    assert "DOE" not in caplog.text


def test_a_disk_that_keeps_a_mapped_file_under_another_name_takes_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS does so; the folder is not empty then."""
    monkeypatch.setattr(os, "rmdir", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOTEMPTY, "not empty")))
    found = put_aside(ARRAYS, tmp_path)
    assert equal(found)
    assert not found["matrix"].flags.owndata


def test_a_change_does_not_reach_the_file(tmp_path: Path) -> None:
    save_arrays(ARRAYS, tmp_path / "file")
    mapped(tmp_path / "file")["matrix"][:] = 9
    assert equal(mapped(tmp_path / "file"))


@pytest.mark.parametrize("way", ["taken", "aside"])
def test_arrays_of_a_file_take_no_memory_until_they_are_changed(way: str, tmp_path: Path) -> None:
    large = {"a": np.ones(16 << 20, np.uint8), "b": np.ones(16 << 20, np.uint8)}
    gc.collect()
    before = held()
    if way == "taken":
        save_arrays(large, tmp_path / "file")
        found = take_arrays(tmp_path / "file")
    else:
        found = put_aside(large, tmp_path)
    assert int(found["a"].sum()) == 16 << 20
    assert held() - before < 4 << 20
    found["b"] += 1
    assert 12 << 20 < held() - before < 24 << 20


def test_large_arrays_in_memory_go_to_the_disk_and_others_stay_what_they_are(tmp_path: Path) -> None:
    arrays = {"small": np.ones(3), "large": np.arange(LARGE // 8 + 1.0)}
    arrays |= {"there": mapped_array(tmp_path), "still": untouched_zeros((LARGE,), np.dtype(np.float32))}
    found = out_of_memory(arrays, lambda: tmp_path)
    assert list(found) == list(arrays)
    assert all(found[name] is arrays[name] for name in ("small", "there", "still"))
    assert np.array_equal(found["large"], arrays["large"])
    assert out_of_memory(found, lambda: tmp_path / "none") == found, "nothing is put aside twice"


def mapped_array(folder: Path) -> NDArray[Any]:
    """A large array of a file."""
    save_arrays({"there": np.ones(LARGE)}, folder / "file")
    return take_arrays(folder / "file")["there"].reshape(2, -1)


def test_large_arrays_on_the_disk_take_no_memory(tmp_path: Path) -> None:
    before = held()
    found = out_of_memory({"large": np.ones(40 * LARGE, np.uint8)}, lambda: tmp_path)
    assert found["large"].sum() == 40 * LARGE
    assert held() - before < 8 * LARGE
