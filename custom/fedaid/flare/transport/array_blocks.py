"""Arrays on their way to another process: in blocks of one size, made when they are asked for and not kept.

FLARE sends a message's arrays whole, one after another, each serialised for each receiver and the next ones ahead. A
word embedding of 94 MB then lies in the server several times for every site. A receiver that understands blocks says so
with its first request; any other one gets whole arrays, as FLARE does it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from nvflare.app_common.np.np_downloader import ArrayDownloadable
from nvflare.fuel.f3.streaming.download_service import ProduceRC

BLOCK = 2**21  # bytes, FLARE's own size of a chunk; each is asked for by itself, at the cost of a round trip
LONGEST_HEAD = 4096  # bytes
NUMBERS = "biufc"  # kinds of types that go in blocks; an array of another one goes whole
ASKED = "fedaid_blocks"  # in the state of a download whose receiver understands blocks: how many it was given


class Block(NamedTuple):
    """A part of an array.

    Attributes:
        name: of the array in its message.
        dtype, shape: of the whole array.
        offset: of this part in the whole one, in bytes.
        data: bytes.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    data: memoryview | bytes


class ArrayBlocks(ArrayDownloadable):  # type: ignore[misc]
    """The arrays of one message, for whoever asks.

    Args:
        arrays: name → array.
        max_chunk_size: bytes of whole arrays in one answer; of blocks there are as many as one block holds.
        note: is told the bytes of each answer.
    """

    def __init__(
        self, arrays: dict[str, NDArray[Any]], max_chunk_size: int, note: Callable[[int], None] = lambda size: None
    ) -> None:
        super().__init__(arrays, max_chunk_size)
        self._note = note
        self._places = [(index, start) for index, name in enumerate(self.keys) for start in starts(arrays[name])]

    def produce(self, state: dict[str, Any] | None, requester: str) -> tuple[str, Any, dict[str, Any]]:
        """The next part: FLARE's return code, a list of bytes, and the state that the next request brings back."""
        if not state or ASKED not in state:
            answer: tuple[str, Any, dict[str, Any]] = super().produce(state, requester)
            return answer
        arrays, done = self.base_obj, int(state[ASKED])
        if done >= len(self._places):
            return ProduceRC.EOF, None, {}
        if arrays is None:
            raise RuntimeError("arrays must be there until they are sent, got none: blocks. They were released.")
        items = list(self._up_to_a_block(done))
        self._note(sum(map(len, items)))
        return ProduceRC.OK, items, {ASKED: done + len(items)}

    def _up_to_a_block(self, first: int) -> Iterator[bytes]:
        left = BLOCK
        for index, start in self._places[first:]:
            name = self.keys[index]
            array = self.base_obj[name]
            left -= min(array.nbytes - start * array.itemsize, BLOCK)
            if left < 0:
                return
            yield packed(name, array, start) if array.dtype.kind in NUMBERS else self.produce_item(index)


def starts(array: NDArray[Any]) -> range:
    """The first element of each block of an array, in the order of its elements; one that is empty has a block too."""
    if array.dtype.kind not in NUMBERS:
        return range(1)
    return range(0, max(array.size, 1), BLOCK // array.itemsize)


def packed(name: str, array: NDArray[Any], start: int) -> bytes:
    """A block as it travels: a line of JSON that says what it is, and the bytes."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
    part = flat[start : start + BLOCK // array.itemsize]
    head = {"name": name, "dtype": array.dtype.str, "shape": array.shape, "offset": start * array.itemsize}
    return b"".join((json.dumps(head).encode(), b"\n", np.ascontiguousarray(part).view(np.uint8).data))


def is_block(item: bytes) -> bool:
    """Whether an item of a download is a block; the others are FLARE's whole arrays."""
    return item[:1] == b"{"


def unpacked(item: bytes) -> Block:
    """A block that another process sent; nothing of the size that it claims is allocated.

    Raises:
        ValueError: if it is none, or goes beyond the array whose part it says it is.
    """
    end = item.find(b"\n", 0, LONGEST_HEAD)
    head = json.loads(item[: max(end, 0)])
    name, dtype, shape, offset = (head.get(key) for key in ("name", "dtype", "shape", "offset"))
    if not isinstance(name, str) or not isinstance(dtype, str) or not re.fullmatch(f"[<>|][{NUMBERS}][0-9]+", dtype):
        raise ValueError("a block must name its array and a type of numbers")
    if not isinstance(shape, list) or not all(type(length) is int and length >= 0 for length in [*shape, offset]):
        raise ValueError("a block must have a shape and an offset")
    block = Block(name, np.dtype(dtype), tuple(shape), offset, memoryview(item)[end + 1 :])
    if offset + len(block.data) > nbytes(block) or (len(block.data) == 0) != (nbytes(block) == 0):
        raise ValueError("a block must be a part of its array")
    return block


def nbytes(block: Block) -> int:
    """Bytes of the whole array that a block is of, as it says."""
    return prod(block.shape) * block.dtype.itemsize
