from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nvflare.apis.controller_spec import Task
from nvflare.apis.dxo import DXO, DataKind, from_shareable
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl import wf_comm_server

from fedaid.flare.transport.shared_task_data import COPY, share_arrays

MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def sent(task: Task) -> Any:
    """What FLARE sends of a task: its copy of the data, which is made for the first site."""
    task.before_task_sent_cb(client_task=SimpleNamespace(task=task), fl_ctx=FLContext())
    return from_shareable(getattr(task, COPY))


def made() -> Task:
    data = DXO(DataKind.WEIGHTS, data={"matrix": MATRIX}, meta={"round": 0, "layout": {"a": 1}}).to_shareable()
    return Task("align", data)


def test_flares_copy_of_a_task_has_the_same_arrays_and_its_own_fields() -> None:
    task = made()
    share_arrays(task)
    found = sent(task)
    assert np.shares_memory(found.data["matrix"], MATRIX)
    assert found.meta == from_shareable(task.data).meta
    assert found.meta["layout"] is not from_shareable(task.data).meta["layout"]


def test_nothing_can_write_to_the_model_while_it_is_sent() -> None:
    task = made()
    share_arrays(task)
    with pytest.raises(ValueError, match="read-only"):
        sent(task).data["matrix"] += 1
    assert MATRIX.flags.writeable


def test_what_a_component_changes_before_the_first_site_gets_the_task_is_sent() -> None:
    task = made()
    other = MATRIX + 1

    def change(client_task: Any, fl_ctx: FLContext) -> None:
        task.data["DXO"]["data"] = {"matrix": other}

    task.before_task_sent_cb = change
    share_arrays(task)
    assert np.shares_memory(sent(task).data["matrix"], other)


def test_flare_looks_for_its_copy_under_this_name() -> None:
    assert f'hasattr(task, "{COPY}")' in inspect.getsource(wf_comm_server)
