"""A model's state as numpy arrays by name, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Arrays = Mapping[str, NDArray[Any]]


def tensors_of(model: nn.Module) -> dict[str, NDArray[Any]]:
    """The model's tensors as arrays of their own."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in model.state_dict().items()}


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
