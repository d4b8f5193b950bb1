from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext

from fedaid.flare.site.held_model import HeldModel
from fedaid.flare.wire.tasks import MalformedMessage, ModelMessage

Arrays = dict[str, NDArray[Any]]


def message(round_number: int, template: Arrays) -> ModelMessage:
    return ModelMessage(round_number, template, {"image_size": 32}, "0a1b")


def swapping() -> HeldModel:
    """In a process of the simulator."""
    held = HeldModel()
    held.swap.notice(EventType.SWAP_IN)
    return held


def files(context: FLContext) -> list[str]:
    return [path.name for path in Path(context.get_engine().get_workspace().get_run_dir("job")).iterdir()]


def test_what_is_kept_is_loaded_by_another_process(site_context: FLContext, template: Arrays) -> None:
    swapping().keep(message(3, template), site_context)
    held = swapping().load(3, site_context)
    assert (held.round_number, held.configuration, held.vocabulary_hash) == (3, {"image_size": 32}, "0a1b")
    assert held.tensors.keys() == template.keys()
    for name, tensor in template.items():
        assert (held.tensors[name].shape, held.tensors[name].dtype) == (tensor.shape, tensor.dtype)
        assert np.array_equal(held.tensors[name], tensor)


def test_only_the_newest_is_kept(site_context: FLContext, template: Arrays) -> None:
    for number in (3, 4):
        swapping().keep(message(number, template), site_context)
    assert swapping().load(4, site_context).round_number == 4
    assert files(site_context) == ["fedaid_round.safetensors"]


def test_elsewhere_nothing_is_written(site_context: FLContext, template: Arrays) -> None:
    held = HeldModel()
    for number in (3, 4):
        held.keep(message(number, template), site_context)
    assert held.load(4, site_context).round_number == 4
    assert files(site_context) == []


@pytest.mark.parametrize("asked", [2, 4])
def test_another_round_is_refused(asked: int, site_context: FLContext, template: Arrays) -> None:
    held = HeldModel()
    held.keep(message(3, template), site_context)
    with pytest.raises(MalformedMessage, match=f"pretrain of round {asked} must follow its align, got 3"):
        held.load(asked, site_context)


def test_without_align_there_is_nothing(site_context: FLContext) -> None:
    with pytest.raises(MalformedMessage, match="pretrain of round 0 must follow align, got none"):
        HeldModel().load(0, site_context)
