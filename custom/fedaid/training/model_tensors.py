"""A model's state as numpy arrays by name, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fedaid.training.processes.array_file import untouched_zeros

Arrays = Mapping[str, NDArray[Any]]
Specs = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]  # name → shape, type
NOTHING: Specs = MappingProxyType({})
PIECE = 2**20  # bytes that are compared at once


def everything(name: str) -> bool:
    """True for every name."""
    return True


def nothing(name: str) -> bool:
    """False for every name."""
    return False


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


def frozen_specs(model: nn.Module, kept: Callable[[str], bool] = everything) -> Specs:
    """Shape and type of each parameter that no step changes, for the names that ``kept`` selects."""
    frozen = {name for name, weight in model.named_parameters() if not weight.requires_grad and kept(name)}
    return {name: spec for name, spec in specs(model).items() if name in frozen}


def moved_since(model: nn.Module, start: Arrays, *, still: Specs = NOTHING) -> dict[str, NDArray[Any]]:
    """The change of the model since its tensors were put aside, written into ``start``: name → now − start.

    A tensor that did not change gets zeros of its own, which take no memory until somebody writes to them. From a GPU
    one tensor at a time is copied.

    Args:
        model: after the phase.
        start: before it.
        still: shape and type of the tensors that were not put aside because they cannot change.
    """
    state = model.state_dict()
    return {
        name: change(array_of(tensor), start[name]) if name in start else untouched_zeros(*still[name])
        for name, tensor in state.items()
        if name in start or name in still
    }


def change(now: NDArray[Any], was: NDArray[Any]) -> NDArray[Any]:
    """now − was, written into ``was``, or zeros that take no memory."""
    return untouched_zeros(was.shape, was.dtype) if same_bits(now, was) else np.subtract(now, was, out=was)


def same_bits(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays of one shape and type have the same bytes; False if their layouts do not tell at once."""
    if not (one.flags.c_contiguous and other.flags.c_contiguous):
        return False
    first, second = one.reshape(-1).view(np.uint8), other.reshape(-1).view(np.uint8)
    starts = range(0, first.size, PIECE)
    return all(np.array_equal(first[at : at + PIECE], second[at : at + PIECE]) for at in starts)


def specs(model: nn.Module) -> Specs:
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


@torch.no_grad()
def move(model: nn.Module, delta: Arrays) -> None:
    """Adds the arrays to the model's tensors of these names, one after another."""
    state = model.state_dict()
    for name, step in delta.items():
        state[name].copy_(torch.from_numpy(np.asarray(array_of(state[name]) + step)))


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
