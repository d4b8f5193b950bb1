from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from nvflare.fuel.f3.streaming.download_service import ProduceRC

from fedaid.flare.transport import array_blocks
from fedaid.flare.transport.array_blocks import ASKED, BLOCK, SHARE, ArrayBlocks, is_block, packed, unpacked

LONG = np.arange(2.5 * BLOCK // 4, dtype=np.float32).reshape(-1, 4)


def answers(blocks: ArrayBlocks) -> list[list[bytes]]:
    """What a receiver gets that asks for blocks until there are no more."""
    found: list[list[bytes]] = []
    state: dict[str, Any] = {ASKED: 0}
    while True:
        code, items, state = blocks.produce(state, "site")
        if code == ProduceRC.EOF:
            return found
        found.append(items)


def test_an_answer_holds_no_more_than_a_block() -> None:
    small = {f"small{number}": np.ones(1000) for number in range(200)}
    found = answers(ArrayBlocks({"long": LONG} | small, 2**21))
    sizes = [sum(len(unpacked(item).data) for item in items) for items in found]
    assert max(sizes) == BLOCK
    assert sum(sizes) == LONG.nbytes + 200 * 8000
    assert len(found) == 4  # two full ones, the half with 131 small ones, and the other 69


def test_a_large_message_has_larger_blocks_so_that_it_takes_no_more_round_trips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(array_blocks, "BLOCK", 2**10)
    sent = {f"tensor{number}": np.ones(2**10, np.uint8) for number in range(2 * SHARE)}
    found = answers(ArrayBlocks(sent, 2**21))
    assert [[len(unpacked(item).data) for item in items] for items in found] == [[2**10, 2**10]] * SHARE


def test_a_block_asked_for_again_is_the_same() -> None:
    blocks = ArrayBlocks({"long": LONG}, 2**21)
    assert blocks.produce({ASKED: 1}, "site") == blocks.produce({ASKED: 1}, "site")


@pytest.mark.parametrize("state", [None, {}, {"start": 0, "count": 0}])
def test_who_does_not_ask_for_blocks_gets_whole_arrays(state: dict[str, Any] | None) -> None:
    code, items, state = ArrayBlocks({"long": LONG, "more": LONG}, 2**21).produce(state, "site")
    assert code == ProduceRC.OK
    assert [is_block(item) for item in items] == [False]
    assert len(items[0]) > LONG.nbytes
    assert state == {"start": 0, "count": 1}


def test_arrays_that_are_no_numbers_go_whole_among_the_blocks() -> None:
    found = answers(ArrayBlocks({"one": np.ones(2), "words": np.array(["a", "bc"]), "two": np.ones(2)}, 2**21))
    assert [[is_block(item) for item in items] for items in found] == [[True, False, True]]


def test_arrays_that_were_released_are_not_sent() -> None:
    blocks = ArrayBlocks({"long": LONG}, 2**21)
    blocks.release()
    with pytest.raises(RuntimeError, match="released"):
        blocks.produce({ASKED: 0}, "site")


def test_a_block_says_what_it_is() -> None:
    block = unpacked(packed("long", LONG, BLOCK // 4))
    assert (block.name, block.dtype, block.shape, block.offset) == ("long", LONG.dtype, LONG.shape, BLOCK)
    assert block.data == LONG.reshape(-1)[BLOCK // 4 : BLOCK // 2].tobytes()


SOUND = {"name": "T0", "dtype": "<f4", "shape": [2], "offset": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 3},
        {"name": None},
        {"dtype": "O"},
        {"dtype": "|O8"},
        {"dtype": "<f3"},
        {"dtype": "(1000000,)<f4"},
        {"dtype": "<V8"},
        {"dtype": 4},
        {"shape": 2},
        {"shape": [-2]},
        {"shape": [2.0]},
        {"shape": [True, 2]},
        {"shape": [1]},
        {"shape": [0]},
        {"offset": -8},
        {"offset": 4},
        {"offset": None},
        {"name": "T" * 5000},
    ],
)
def test_a_block_that_does_not_fit_its_array_is_refused(wrong: dict[str, Any]) -> None:
    assert unpacked(json.dumps(SOUND).encode() + b"\n" + bytes(8)).shape == (2,)
    with pytest.raises((ValueError, TypeError)):
        unpacked(json.dumps(SOUND | wrong).encode() + b"\n" + bytes(8))


def test_a_block_without_bytes_of_an_array_that_has_some_is_refused() -> None:
    with pytest.raises(ValueError, match="a part of its array"):
        unpacked(json.dumps(SOUND).encode() + b"\n")


@pytest.mark.parametrize("item", [b"", b"{", b"{}\n", b"{}", b"[]\n", b'{"name": "T0"', b"\n", b"{" * 3000 + b"\n"])
def test_what_is_no_block_is_refused(item: bytes) -> None:
    with pytest.raises((ValueError, AttributeError)):
        unpacked(item)
