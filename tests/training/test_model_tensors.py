from __future__ import annotations

import re
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from fedaid.models.dual_encoder import DualEncoder
from fedaid.training import model_tensors as module
from fedaid.training.model_tensors import PIECE, holding, moved_since, put, same_bits, specs, tensors_of


def held() -> int:
    """Bytes of this process that no file has."""
    return int(re.findall(r"RssAnon:\s*(\d+) kB", Path("/proc/self/status").read_text())[0]) * 1024


@pytest.fixture
def norm() -> nn.BatchNorm2d:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3)
    norm(torch.randn(4, 3, 2, 2))
    return norm


def test_what_is_put_is_what_the_model_holds_and_the_rest_stays(norm: nn.BatchNorm2d) -> None:
    before = tensors_of(norm)
    put(norm, {"bias": np.array([1.0, 2.0, 3.0], np.float32), "num_batches_tracked": np.array(7)})
    after = tensors_of(norm)
    assert after["bias"].tolist() == [1, 2, 3]
    assert after["num_batches_tracked"] == 7
    assert all(np.array_equal(after[name], before[name]) for name in ("weight", "running_mean", "running_var"))


def test_tensors_are_copies(norm: nn.BatchNorm2d) -> None:
    tensors_of(norm)["bias"][:] = 9
    assert norm.bias.tolist() == [0, 0, 0]


def test_a_model_holds_other_tensors_only_for_a_while(norm: nn.BatchNorm2d) -> None:
    before = tensors_of(norm)
    with holding(norm, {name: tensor + np.asarray(1, tensor.dtype) for name, tensor in before.items()}):
        assert all(np.array_equal(now, before[name] + 1) for name, now in tensors_of(norm).items())
    assert all(np.array_equal(now, before[name]) for name, now in tensors_of(norm).items())


def test_an_error_inside_does_not_leave_them_there(norm: nn.BatchNorm2d) -> None:
    with pytest.raises(InterruptedError), holding(norm, {"bias": np.ones(3, np.float32)}):
        raise InterruptedError
    assert norm.bias.tolist() == [0, 0, 0]


def test_how_far_a_model_moved_takes_the_place_of_where_it_was(model: DualEncoder) -> None:
    start = tensors_of(model, lambda name: "running" in name or "num_batches" in name)
    before = {name: tensor.copy() for name, tensor in start.items()}
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.add_(2)
    moved, now = moved_since(model, start), tensors_of(model)
    assert {tensor.ndim for tensor in moved.values()} == {0, 1}
    for name, change in moved.items():
        assert change is start[name]
        assert np.array_equal(change, now[name] - before[name])


def test_shapes_and_types_are_those_of_the_arrays(model: DualEncoder) -> None:
    assert specs(model) == {name: (tensor.shape, tensor.dtype) for name, tensor in tensors_of(model).items()}


def test_a_tensor_that_did_not_change_gets_zeros_and_another_its_difference_to_the_bit(norm: nn.BatchNorm2d) -> None:
    start = tensors_of(norm)
    put(norm, {"bias": np.array([0.1, 0.2, 0.3], np.float32)})
    wanted = {name: np.subtract(now, start[name]) for name, now in tensors_of(norm).items()}
    found = moved_since(norm, start)
    assert found.keys() == wanted.keys()
    for name, array in found.items():
        assert (array.dtype, array.shape, array.tobytes()) == (
            wanted[name].dtype,
            wanted[name].shape,
            wanted[name].tobytes(),
        )
        array += np.ones((), array.dtype)  # a filter of the site may write to them


def test_a_zero_that_changed_its_sign_is_a_change(norm: nn.BatchNorm2d) -> None:
    put(norm, {"bias": np.array([-0.0, 0.0, 0.0], np.float32)})
    start = {"bias": np.zeros(3, np.float32)}
    assert moved_since(norm, start)["bias"].tobytes() == np.array([-0.0, 0.0, 0.0], np.float32).tobytes()


def test_the_zeros_of_a_large_frozen_tensor_take_no_memory() -> None:
    frozen = nn.Linear(2048, 2048, bias=False)
    start = tensors_of(frozen)
    before = held()
    found = moved_since(frozen, start)
    assert not found["weight"].any()
    assert held() - before < 8 << 20


def test_a_model_on_a_gpu_is_copied_one_tensor_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model, copies, most = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4))), weakref.WeakSet[torch.Tensor](), [0]

    def copied(tensor: torch.Tensor, *_: Any) -> torch.Tensor:
        """As from a GPU."""
        copy = tensor.clone()
        copies.add(copy)
        most.append(len(copies))
        return copy

    monkeypatch.setattr(torch.Tensor, "cpu", copied)
    start = tensors_of(model)
    with torch.no_grad():
        model[0].weight.add_(1)
    assert moved_since(model, start)["0.weight"].any()
    assert len(most) == 1 + 2 * len(start)
    assert max(most) <= 2, "the present one, and the one before until it is replaced"


@pytest.mark.parametrize("at", [0, PIECE - 1, PIECE, 3 * PIECE + 1, None])
def test_a_change_of_one_byte_is_found_in_pieces_and_ends_the_comparison(
    at: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, compared, equal = np.zeros(3 * PIECE + 2, np.uint8), [0], np.array_equal

    def noted(first: Any, second: Any) -> bool:
        compared.append(first.size)
        return equal(first, second)

    other = one.copy()
    if at is not None:
        other[at] = 1
    monkeypatch.setattr(module.np, "array_equal", noted)
    tracemalloc.start()
    try:
        assert same_bits(one, other) is (at is None)
        assert tracemalloc.get_traced_memory()[1] < 2 * PIECE
    finally:
        tracemalloc.stop()
    assert len(compared) - 1 == (4 if at is None else at // PIECE + 1)
