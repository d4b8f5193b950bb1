from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext

from fedaid.flare.site.swap_file import SwapFile

Arrays = dict[str, NDArray[Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run's folder at the site."""
    return tmp_path / "run" / "job"


def needed(name: str = "view") -> SwapFile:
    """In a process of the simulator."""
    file = SwapFile(name)
    file.notice(EventType.SWAP_IN)
    return file


def read(context: FLContext) -> tuple[Arrays, dict[str, Any]]:
    found = SwapFile("view").read(context)
    assert found is not None
    return found


def test_what_is_written_is_read_bit_for_bit(site_context: FLContext, template: Arrays) -> None:
    needed().write(site_context, template, {"version": "7"})
    tensors, described = read(site_context)
    assert described == {"version": "7"}
    assert tensors.keys() == template.keys()
    assert all(tensors[name].tobytes() == template[name].tobytes() for name in template)


@pytest.mark.parametrize("event", [EventType.START_RUN, EventType.SWAP_OUT])
def test_nothing_is_written_unless_the_process_may_be_swapped_out(
    event: str, site_context: FLContext, template: Arrays, folder: Path
) -> None:
    file = SwapFile("view")
    file.notice(event)
    file.write(site_context, template, {})
    assert list(folder.iterdir()) == []
    assert file.read(site_context) is None


def test_nothing_is_written_by_a_process_that_outlived_a_task(
    site_context: FLContext, template: Arrays, folder: Path
) -> None:
    file = needed()
    assert file.needed
    file.notice(EventType.SWAP_IN)
    file.write(site_context, template, {})
    assert not file.needed
    assert list(folder.iterdir()) == []


def test_files_of_other_names_are_others(site_context: FLContext, template: Arrays) -> None:
    needed().write(site_context, template, {})
    assert needed("residual").read(site_context) is None


def test_only_the_newest_is_kept_and_no_other_file(site_context: FLContext, template: Arrays, folder: Path) -> None:
    for number in (1, 2):
        needed().write(site_context, template, {"number": number})
    assert read(site_context)[1] == {"number": 2}
    assert [path.name for path in folder.iterdir()] == ["fedaid_view.safetensors"]


def test_a_crash_while_writing_leaves_the_one_before(
    site_context: FLContext, template: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    needed().write(site_context, template, {"number": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="no space"):
            needed().write(site_context, template, {"number": 2})
    assert read(site_context)[1] == {"number": 1}


def test_an_array_that_is_not_contiguous_is_written_right(site_context: FLContext) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    needed().write(site_context, {"turned": turned}, {})
    assert np.array_equal(read(site_context)[0]["turned"], turned)
