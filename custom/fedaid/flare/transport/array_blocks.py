"""Sends the arrays of a message in blocks of one size; a block is made when it is requested, and not stored.

FLARE 2.9.0 sends whole arrays. It serialises each array for each receiver, and the next arrays in advance. So a word
embedding of 94 MB is in the server's memory several times for every site. A receiver that can read blocks says so in
its first request. Other receivers get whole arrays from FLARE's own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from nvflare.app_common.np.np_downloader import ArrayDownloadable
from nvflare.fuel.f3.streaming.download_service import ProduceRC

BLOCK = 2**21  # bytes, the size of FLARE's own chunks; each block costs a round trip through both parent processes
SHARE = 128  # parts of a large message: a site more takes about six blocks of the server's memory, 0.05 of the message
LONGEST_HEAD = 4096  # bytes
NUMBERS = "biufc"  # kinds of numpy types that are sent in blocks; other arrays are sent whole
ASKED = "fedaid_blocks"  # field of a download's state: blocks that the receiver got; absent if it cannot read blocks


class Block(NamedTuple):
    """A part of an array.

    Attributes:
        name: of the array in its message.
        dtype, shape: of the whole array.
        offset: of this part in the array, in bytes.
        data: bytes.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    data: memoryview | bytes


class ArrayBlocks(ArrayDownloadable):  # type: ignore[misc]
    """Offers the arrays of one message for download.

    Args:
        arrays: name → array.
        max_chunk_size: bytes of whole arrays in one answer; an answer with blocks has at most :func:`block_size` bytes.
        note: is called with the bytes of each answer.
    """

    def __init__(
        self, arrays: dict[str, NDArray[Any]], max_chunk_size: int, note: Callable[[int], None] = lambda size: None
    ) -> None:
        super().__init__(arrays, max_chunk_size)
        self._note, self._block = note, block_size(arrays.values())
        self._places = [
            (index, start) for index, name in enumerate(self.keys) for start in starts(arrays[name], self._block)
        ]

    def produce(self, state: dict[str, Any] | None, requester: str) -> tuple[str, Any, dict[str, Any]]:
        """Returns FLARE's return code, the next items, and the state that the receiver sends with its next request."""
        if not state or ASKED not in state:
            answer: tuple[str, Any, dict[str, Any]] = super().produce(state, requester)
            return answer
        arrays, done = self.base_obj, int(state[ASKED])
        if done >= len(self._places):
            return ProduceRC.EOF, None, {}
        if arrays is None:
            raise RuntimeError("arrays must stay in memory until they are sent, got a released message: array blocks")
        items = list(self._up_to_a_block(done))
        self._note(sum(map(len, items)))
        return ProduceRC.OK, items, {ASKED: done + len(items)}

    def _up_to_a_block(self, first: int) -> Iterator[bytes]:
        left = self._block
        for index, start in self._places[first:]:
            name = self.keys[index]
            array = self.base_obj[name]
            left -= min(array.nbytes - start * array.itemsize, self._block)
            if left < 0:
                return
            yield packed(name, array, start, self._block) if array.dtype.kind in NUMBERS else self.produce_item(index)


def block_size(arrays: Iterable[NDArray[Any]]) -> int:
    """Bytes of a block of a message: more for a large one, so that it does not take more round trips."""
    return max(BLOCK, sum(array.nbytes for array in arrays) // SHARE)


def starts(array: NDArray[Any], block: int = BLOCK) -> range:
    """The first element of each block of an array; an empty array has one block."""
    if array.dtype.kind not in NUMBERS:
        return range(1)
    return range(0, max(array.size, 1), block // array.itemsize)


def packed(name: str, array: NDArray[Any], start: int, block: int = BLOCK) -> bytes:
    """A block as it travels: a line of JSON that describes it, and its bytes."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.flat
    part = flat[start : start + block // array.itemsize]
    head = {"name": name, "dtype": array.dtype.str, "shape": array.shape, "offset": start * array.itemsize}
    return b"".join((json.dumps(head).encode(), b"\n", np.ascontiguousarray(part).view(np.uint8).data))


def is_block(item: bytes) -> bool:
    """Whether an item of a download is a block; other items are whole arrays."""
    return item[:1] == b"{"


def unpacked(item: bytes) -> Block:
    """Reads a block that another process sent, without allocating the size that the block claims.

    Raises:
        ValueError: if the item is not a block, or if its bytes lie outside the array that it names.
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
    """Bytes of the whole array, as the block claims."""
    return prod(block.shape) * block.dtype.itemsize
