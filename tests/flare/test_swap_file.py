from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.fl_context import FLContext

from fedaid.flare.swap_file import SwapFile, run_folder

Arrays = dict[str, NDArray[Any]]


def test_what_is_written_is_read_bit_for_bit(tmp_path: Path, template: Arrays) -> None:
    SwapFile(tmp_path, "view").write(template, {"version": "7"})
    found = SwapFile(tmp_path, "view").read()
    assert found is not None
    tensors, described = found
    assert described == {"version": "7"}
    assert tensors.keys() == template.keys()
    assert all(tensors[name].tobytes() == template[name].tobytes() for name in template)


def test_nothing_written_is_nothing_read(tmp_path: Path, template: Arrays) -> None:
    SwapFile(tmp_path, "view").write(template, {})
    assert SwapFile(tmp_path, "residual").read() is None


def test_only_the_newest_is_kept_and_no_other_file(tmp_path: Path, template: Arrays) -> None:
    for number in (1, 2):
        SwapFile(tmp_path, "view").write(template, {"number": number})
    found = SwapFile(tmp_path, "view").read()
    assert found is not None
    assert found[1] == {"number": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["fedaid_view.safetensors"]


def test_a_crash_while_writing_leaves_the_one_before(
    tmp_path: Path, template: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    SwapFile(tmp_path, "view").write(template, {"number": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(OSError, match="no space"):
            SwapFile(tmp_path, "view").write(template, {"number": 2})
    found = SwapFile(tmp_path, "view").read()
    assert found is not None
    assert found[1] == {"number": 1}


def test_an_array_that_is_not_contiguous_is_written_right(tmp_path: Path) -> None:
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    SwapFile(tmp_path, "view").write({"turned": turned}, {})
    found = SwapFile(tmp_path, "view").read()
    assert found is not None
    assert np.array_equal(found[0]["turned"], turned)


def test_the_folder_is_that_of_the_run_at_the_site(site_context: FLContext, tmp_path: Path) -> None:
    assert run_folder(site_context) == tmp_path / "run" / "job"
