from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext

from fedaid.flare.site.task_memory import Remembered, TaskMemory
from fedaid.training.processes.array_file import LARGE, is_mapped

Arrays = dict[str, NDArray[Any]]
NUMBER = {"number": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run's folder at the site."""
    return tmp_path / "run" / "job"


def short_lived() -> TaskMemory:
    """The memory of a process that may end with its task."""
    memory = TaskMemory()
    memory.notice(EventType.SWAP_IN)
    return memory


def recalled(context: FLContext, name: str = "view") -> Remembered:
    """What a new process recalls."""
    found = TaskMemory().recall(name, context)
    assert found is not None
    return found


def test_another_process_recalls_every_bit(site_context: FLContext, template: Arrays) -> None:
    short_lived().remember("view", template, description={"version": "7"}, fl_ctx=site_context)
    tensors, description = recalled(site_context)
    assert description == {"version": "7"}
    assert tensors.keys() == template.keys()
    for name, tensor in template.items():
        assert (tensors[name].shape, tensors[name].dtype) == (tensor.shape, tensor.dtype)
        assert tensors[name].tobytes() == tensor.tobytes()


@pytest.mark.parametrize("event", [EventType.START_RUN, EventType.SWAP_OUT])
def test_nothing_is_written_unless_the_process_may_end_with_its_task(
    event: str, site_context: FLContext, template: Arrays, folder: Path
) -> None:
    memory = TaskMemory()
    memory.notice(event)
    memory.remember("view", template, fl_ctx=site_context)
    assert list(folder.iterdir()) == []
    assert TaskMemory().recall("view", site_context) is None


def test_a_long_lived_process_recalls_what_it_remembered_last(site_context: FLContext, template: Arrays) -> None:
    memory = TaskMemory()
    for number in (1, 2):
        memory.remember("view", template, description={"number": number}, fl_ctx=site_context)
    found = memory.recall("view", site_context)
    assert found == Remembered(template, {"number": 2})
    assert memory.recall("residual", site_context) is None


def test_a_process_that_receives_a_second_task_writes_nothing_any_more(
    site_context: FLContext, template: Arrays, folder: Path
) -> None:
    memory = short_lived()
    assert memory.may_end_with_task
    memory.notice(EventType.SWAP_IN)
    memory.remember("view", template, fl_ctx=site_context)
    assert not memory.may_end_with_task
    assert list(folder.iterdir()) == []


def test_what_is_in_memory_is_newer_than_the_file_of_the_first_task(site_context: FLContext, template: Arrays) -> None:
    memory = short_lived()
    memory.remember("view", template, description={"number": 1}, fl_ctx=site_context)
    memory.notice(EventType.SWAP_IN)
    memory.remember("view", template, description={"number": 2}, fl_ctx=site_context)
    found = memory.recall("view", site_context)
    assert found is not None
    assert found.description == {"number": 2}


def test_sets_of_other_names_have_files_of_their_own(site_context: FLContext, template: Arrays) -> None:
    memory = short_lived()
    memory.remember("view", template, description=NUMBER, fl_ctx=site_context)
    assert TaskMemory().recall("residual", site_context) is None
    memory.remember("residual", {}, fl_ctx=site_context)
    assert recalled(site_context).description == NUMBER
    assert recalled(site_context, "residual") == Remembered({}, {})


def test_only_the_newest_set_is_on_disk_and_no_other_file(
    site_context: FLContext, template: Arrays, folder: Path
) -> None:
    for number in (1, 2):
        short_lived().remember("view", template, description={"number": number}, fl_ctx=site_context)
    assert recalled(site_context).description == {"number": 2}
    assert [path.name for path in folder.iterdir()] == ["fedaid_view.safetensors"]


def test_a_crash_while_writing_leaves_the_file_before(
    site_context: FLContext, template: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    short_lived().remember("view", template, description=NUMBER, fl_ctx=site_context)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="no space"):
            short_lived().remember("view", template, description={"number": 2}, fl_ctx=site_context)
    assert recalled(site_context).description == NUMBER


def test_an_array_that_is_not_contiguous_is_written_right(site_context: FLContext) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    short_lived().remember("view", {"turned": turned}, fl_ctx=site_context)
    assert np.array_equal(recalled(site_context).tensors["turned"], turned)


def test_a_large_tensor_is_remembered_as_pages_of_a_file(site_context: FLContext, folder: Path) -> None:
    memory, large = TaskMemory(), np.arange(float(LARGE))
    kept = memory.remember("view", {"large": large}, fl_ctx=site_context)
    assert is_mapped(kept["large"])
    found = memory.recall("view", site_context)
    assert found is not None
    assert found.tensors["large"] is kept["large"]
    assert np.array_equal(kept["large"], large)
    assert list(folder.iterdir()) == []
