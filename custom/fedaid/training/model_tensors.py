"""A model's state as numpy arrays by name, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Arrays = Mapping[str, NDArray[Any]]


def everything(name: str) -> bool:
    """Takes every name."""
    return True


def tensors_of(model: nn.Module, kept: Callable[[str], bool] = everything) -> dict[str, NDArray[Any]]:
    """The model's tensors as arrays of their own, those of the names that are to be ``kept``."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items() if kept(name)}


def moved_since(model: nn.Module, start: Arrays) -> dict[str, NDArray[Any]]:
    """How far the model moved from what :func:`tensors_of` gave before, in its place: name → now − start."""
    now = model.state_dict()
    return {name: np.subtract(now[name].detach().cpu().numpy(), was, out=was) for name, was in start.items()}


def specs(model: nn.Module) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Shape and type of each of the model's tensors, without a copy of them."""
    state = model.state_dict()
    types = {kind: torch.empty(0, dtype=kind).numpy().dtype for kind in {tensor.dtype for tensor in state.values()}}
    return {name: (tuple(tensor.shape), types[tensor.dtype]) for name, tensor in state.items()}


@torch.no_grad()
def put(model: nn.Module, tensors: Arrays) -> None:
    """Copies the given tensors into the model; names that are not given stay as they are."""
    state = model.state_dict()
    for name, tensor in tensors.items():
        state[name].copy_(torch.from_numpy(np.array(tensor, order="C")))


@contextmanager
def holding(model: nn.Module, tensors: Arrays) -> Iterator[None]:
    """Inside the block the model holds the given tensors, after it those from before, to the bit."""
    state = model.state_dict()
    before = {name: state[name].clone() for name in tensors}
    put(model, tensors)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, tensor in before.items():
                state[name].copy_(tensor)
