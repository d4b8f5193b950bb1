from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.flare.held_model import HeldModel
from fedaid.flare.messages import MalformedMessage, ModelMessage


def message(round_number: int, template: dict[str, NDArray[Any]]) -> ModelMessage:
    return ModelMessage(round_number, template, {"image_size": 32}, "0a1b")


def test_what_is_swapped_out_is_loaded_by_another_process(tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    first = HeldModel()
    first.keep(message(3, template))
    first.swap_out(tmp_path)
    held = HeldModel().load(3, tmp_path)
    assert (held.round_number, held.configuration, held.vocabulary_hash) == (3, {"image_size": 32}, "0a1b")
    assert held.tensors.keys() == template.keys()
    for name, tensor in template.items():
        assert (held.tensors[name].shape, held.tensors[name].dtype) == (tensor.shape, tensor.dtype)
        assert np.array_equal(held.tensors[name], tensor)


def test_within_a_process_nothing_is_written(tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    held = HeldModel()
    for number in (3, 4):
        held.keep(message(number, template))
    assert held.load(4, tmp_path).round_number == 4
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_held_nothing_leaves_the_file_of_the_one_before(
    tmp_path: Path, template: dict[str, NDArray[Any]]
) -> None:
    held = HeldModel()
    held.keep(message(3, template))
    held.swap_out(tmp_path)
    HeldModel().swap_out(tmp_path)
    assert HeldModel().load(3, tmp_path).round_number == 3


@pytest.mark.parametrize("asked", [2, 4])
def test_another_round_is_refused(asked: int, tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    held = HeldModel()
    held.keep(message(3, template))
    with pytest.raises(MalformedMessage, match=f"pretrain of round {asked} must follow its align, got 3"):
        held.load(asked, tmp_path)


def test_without_align_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(MalformedMessage, match="pretrain of round 0 must follow align, got none"):
        HeldModel().load(0, tmp_path)
