"""A model's state as numpy arrays by name, and the way back."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Arrays = Mapping[str, NDArray[Any]]
PIECE = 2**20  # bytes that are compared at once


def everything(name: str) -> bool:
    """True for every name."""
    return True


def tensors_of(model: nn.Module, kept: Callable[[str], bool] = everything) -> dict[str, NDArray[Any]]:
    """Copies of the model's tensors as arrays, for the names that ``kept`` selects."""
    return {name: array_of(tensor).copy() for name, tensor in model.state_dict().items() if kept(name)}


def views_of(model: nn.Module, kept: Callable[[str], bool] = everything) -> dict[str, NDArray[Any]]:
    """The model's tensors as arrays, for the names that ``kept`` selects; on the CPU they share the model's memory."""
    return {name: array_of(tensor) for name, tensor in model.state_dict().items() if kept(name)}


def array_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The tensor as an array; on the CPU it shares the tensor's memory, from a GPU it is a copy."""
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array


def moved_since(model: nn.Module, start: Arrays) -> dict[str, NDArray[Any]]:
    """The change of the model since its tensors were put aside, written into ``start``: name → now − start.

    A tensor that did not change gets zeros of its own, which take no memory until somebody writes to them. From a GPU
    one tensor at a time is copied.
    """
    state = model.state_dict()
    return {name: change(array_of(state[name]), was) for name, was in start.items()}


def change(now: NDArray[Any], was: NDArray[Any]) -> NDArray[Any]:
    """now − was, written into ``was``, or zeros that take no memory."""
    return zeros_like(was) if same_bits(now, was) else np.subtract(now, was, out=was)


def zeros_like(array: NDArray[Any]) -> NDArray[Any]:
    """Zeros in pages of their own; numpy's would be written to memory that the process has used before."""
    if array.nbytes < mmap.PAGESIZE:
        return np.zeros_like(array)
    pages = mmap.mmap(-1, array.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.ndarray(array.shape, array.dtype, buffer=pages)


def same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays of one shape and type have the same bytes; False if their layouts do not tell at once."""
    if not (one.flags.c_contiguous and other.flags.c_contiguous):
        return False
    first, second = one.reshape(-1).view(np.uint8), other.reshape(-1).view(np.uint8)
    starts = range(0, first.size, PIECE)
    return all(np.array_equal(first[at : at + PIECE], second[at : at + PIECE]) for at in starts)


def specs(model: nn.Module) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of each tensor of the model, without copies."""
    state = model.state_dict()
    types = {kind: torch.empty(0, dtype=kind).numpy().dtype for kind in {tensor.dtype for tensor in state.values()}}
    return {name: (tuple(tensor.shape), types[tensor.dtype]) for name, tensor in state.items()}


@torch.no_grad()
def put(model: nn.Module, tensors: Arrays) -> None:
    """Copies the tensors into the model; other tensors do not change."""
    state = model.state_dict()
    for name, tensor in tensors.items():
        state[name].copy_(torch.from_numpy(np.array(tensor, order="C")))


@contextmanager
def holding(model: nn.Module, tensors: Arrays) -> Iterator[None]:
    """Puts the tensors into the model for the block, and restores the previous ones after it, to the bit."""
    state = model.state_dict()
    before = {name: state[name].clone() for name in tensors}
    put(model, tensors)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, tensor in before.items():
                state[name].copy_(tensor)
