from __future__ import annotations

import errno
import gc
import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.flare.transport.array_blocks import BLOCK, Block, packed, starts
from fedaid.flare.transport.received_arrays import ArrayFile, ArrayMemory, ArraysAtSite, Assembly, Store
from fedaid.training.processes.array_file import say_memory_is_used

SENT: dict[str, NDArray[Any]] = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "stepped": np.arange(20, dtype=np.int16)[::3],
    "long": np.arange(2.5 * BLOCK // 4, dtype=np.float32).reshape(-1, 5),
    "long_turned": np.arange(1.5 * BLOCK // 8).reshape(4, -1).T,
    "swapped": np.arange(5, dtype=">f4"),
    "half": np.arange(5, dtype=np.float16),
    "complex": np.arange(3) * 1j,
    "wide": np.arange(3, dtype=np.longdouble),
    "switch": np.array([True, False]),
    "bytes": np.arange(200, dtype=np.uint8),
    "scalar": np.array(3.5, np.float32),
    "count": np.array([7], np.int64),
    "none": np.zeros((0, 4), np.float32),
}


def blocks(name: str, array: NDArray[Any]) -> list[bytes]:
    return [packed(name, array, start) for start in starts(array)]


def whole(name: str, array: NDArray[Any]) -> list[bytes]:
    """As FLARE sends it."""
    stream = BytesIO()
    np.savez(stream, allow_pickle=False, **{name: array})
    return [stream.getvalue()]


def made(kind: str, folder: Path) -> Store:
    return {"memory": ArrayMemory, "file": lambda: ArrayFile(folder), "site": lambda: ArraysAtSite(folder)}[kind]()


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("store", ["memory", "file", "site"])
def test_arrays_come_back_to_the_bit_in_blocks_and_whole(store: str, tmp_path: Path) -> None:
    assembly = Assembly(made(store, tmp_path))
    for number, (name, array) in enumerate(SENT.items()):
        assembly.consume("", {}, (whole if number % 3 == 1 else blocks)(name, array))
    found = assembly.arrays()
    assert set(found) == set(SENT)
    for name, array in found.items():
        assert type(array) is np.ndarray
        assert (array.dtype, array.shape) == (SENT[name].dtype, SENT[name].shape)
        assert array.tobytes() == SENT[name].tobytes()


def test_every_kind_of_array_goes_in_blocks(tmp_path: Path) -> None:
    for name, array in SENT.items():
        assembly = Assembly(ArrayMemory())
        assembly.consume("", {}, blocks(name, array))
        assert assembly.arrays()[name].tobytes() == array.tobytes(), name


def test_arrays_without_content_need_no_file(tmp_path: Path) -> None:
    assembly = Assembly(ArrayFile(tmp_path))
    assembly.consume("", {}, blocks("none", SENT["none"]))
    assert assembly.arrays()["none"].shape == (0, 4)
    assert Assembly(ArrayFile(tmp_path)).arrays() == {}


def test_a_message_takes_one_open_file_that_has_no_name_and_ends_with_its_arrays(tmp_path: Path) -> None:
    before = open_files()
    assembly = Assembly(ArrayFile(tmp_path))
    for number in range(50):
        assembly.consume("", {}, blocks(str(number), np.ones(1000)))
    found = assembly.arrays()
    del assembly
    assert open_files() == before + 1
    assert list(tmp_path.iterdir()) == []
    del found
    assert open_files() == before


def test_arrays_on_disk_cannot_be_changed_and_those_in_memory_can(tmp_path: Path) -> None:
    for store in ("file", "memory"):
        assembly = Assembly(made(store, tmp_path))
        assembly.consume("", {}, blocks("matrix", SENT["matrix"]))
        assert assembly.arrays()["matrix"].flags.writeable == (store == "memory")


LONG = SENT["long"]
FIRST, SECOND, LAST = blocks("long", LONG)
OTHER = packed("other", LONG, 0)
HUGE = json.dumps({"name": "T0", "dtype": "<f4", "shape": [2**40, 2**40], "offset": 0}).encode() + b"\n" + bytes(8)


@pytest.mark.parametrize(
    "items",
    [
        [SECOND],
        [FIRST, LAST],
        [FIRST, SECOND, SECOND],
        [FIRST, OTHER],
        [FIRST, SECOND, LAST, FIRST],
        [FIRST, packed("long", LONG.reshape(5, -1), BLOCK // 4)],
        [FIRST, packed("long", LONG.astype(np.int32), BLOCK // 4)],
        [b"PK"],
        [b"{}\n"],
        [3],
        3,
        None,
    ],
)
def test_parts_that_do_not_follow_each_other_are_refused(items: Any, tmp_path: Path) -> None:
    for store in ("memory", "file"):
        assembly = Assembly(made(store, tmp_path))
        with pytest.raises(Exception):  # noqa: B017, PT011 - FLARE ends the download for any
            assembly.consume("", {}, items)
        assert assembly.refused


@pytest.mark.parametrize("items", [[FIRST], [FIRST, SECOND], [HUGE]])
def test_an_array_that_does_not_come_to_its_end_is_refused(items: list[bytes], tmp_path: Path) -> None:
    assembly = Assembly(ArrayFile(tmp_path))
    assembly.consume("", {}, items)
    with pytest.raises(ValueError, match="come to its end"):
        assembly.arrays()


def test_arrays_that_the_sites_disk_cannot_take_come_into_memory_to_the_bit_and_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    say_memory_is_used.cache_clear()

    def short(self: ArrayFile, block: Block) -> None:
        if block.name in ("long", "long_turned"):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(ArrayFile, "reserve", short)
    assembly = Assembly(ArraysAtSite(tmp_path))
    for name, array in SENT.items():
        assembly.consume("", {}, blocks(name, array))
    found = assembly.arrays()
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in SENT.items()}
    assert [name for name, array in found.items() if array.nbytes and array.flags.owndata] == ["long", "long_turned"]
    assert caplog.text.count("need memory instead") == 1


def test_room_on_the_sites_disk_is_taken_before_the_first_byte_is_written(tmp_path: Path) -> None:
    file, block = ArrayFile(tmp_path, writable=True), Block("a", np.dtype(np.uint8), (5000,), 0, b"")
    file.reserve(block)
    assert os.fstat(file._file.fileno()).st_blocks * 512 >= 5000


def test_a_full_disk_is_not_the_senders_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: ArrayFile, block: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(ArrayFile, "write", full)
    assembly = Assembly(ArrayFile(tmp_path))
    with pytest.raises(OSError, match="no space"):
        assembly.consume("", {}, [FIRST])
    assert not assembly.refused
