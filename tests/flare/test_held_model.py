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


def test_what_is_kept_is_loaded_by_another_process(tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    HeldModel(tmp_path).keep(message(3, template))
    held = HeldModel(tmp_path).load(3)
    assert (held.round_number, held.configuration, held.vocabulary_hash) == (3, {"image_size": 32}, "0a1b")
    assert held.tensors.keys() == template.keys()
    for name, tensor in template.items():
        assert (held.tensors[name].shape, held.tensors[name].dtype) == (tensor.shape, tensor.dtype)
        assert np.array_equal(held.tensors[name], tensor)


def test_only_the_newest_is_kept_and_no_other_file(tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    held = HeldModel(tmp_path)
    for number in (3, 4):
        held.keep(message(number, template))
    assert held.load(4).round_number == 4
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("asked", [2, 4])
def test_another_round_is_refused(asked: int, tmp_path: Path, template: dict[str, NDArray[Any]]) -> None:
    HeldModel(tmp_path).keep(message(3, template))
    with pytest.raises(MalformedMessage, match=f"pretrain of round {asked} must follow its align, got 3"):
        HeldModel(tmp_path).load(asked)


def test_without_align_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(MalformedMessage, match="pretrain of round 0 must follow align, got none"):
        HeldModel(tmp_path).load(0)


def test_a_crash_while_writing_leaves_the_one_before(
    tmp_path: Path, template: dict[str, NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    HeldModel(tmp_path).keep(message(3, template))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="no space"):
            HeldModel(tmp_path).keep(message(4, template))
    assert HeldModel(tmp_path).load(3).round_number == 3


def test_an_array_that_is_not_contiguous_is_kept_right(tmp_path: Path) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    HeldModel(tmp_path).keep(message(0, {"turned": turned}))
    assert np.array_equal(HeldModel(tmp_path).load(0).tensors["turned"], turned)
