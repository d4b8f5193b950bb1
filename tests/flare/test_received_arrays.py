from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContextManager
from nvflare.app_common.decomposers.numpy_decomposers import NumpyArrayDecomposer
from nvflare.fuel.utils import fobs
from nvflare.fuel.utils.fobs.decomposers.via_downloader import ViaDownloaderDecomposer

from fedaid.flare import received_arrays as module
from fedaid.flare.received_arrays import ArrayFile, receive_on_disk
from fedaid.flare.uplink import UpdateDecoder
from tests.flare.conftest import Engine

SENT = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "scalar": np.array(3.5, np.float32),
    "count": np.array([7], np.int64),
    "none": np.zeros((0, 4), np.float32),
}


@pytest.fixture
def handler() -> Iterator[ViaDownloaderDecomposer]:
    """FLARE's own, which is as before afterwards."""
    fobs.register(NumpyArrayDecomposer)
    handler = fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())
    yield handler
    vars(handler).pop("download", None)


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_arrays_of_several_batches_come_back_as_they_were(tmp_path: Path) -> None:
    file = ArrayFile(tmp_path)
    places = file.put({name: SENT[name] for name in ("matrix", "turned")})
    found = file.arrays(places | file.put({name: SENT[name] for name in ("scalar", "count", "none")}))
    assert set(found) == set(SENT)
    for name, array in found.items():
        assert type(array) is np.ndarray
        assert (array.dtype, array.shape) == (SENT[name].dtype, SENT[name].shape)
        assert np.array_equal(array, SENT[name])


def test_arrays_without_content_need_no_file(tmp_path: Path) -> None:
    file = ArrayFile(tmp_path)
    assert file.arrays(file.put({"none": SENT["none"]}))["none"].shape == (0, 4)


def test_a_message_takes_one_open_file_that_has_no_name_and_ends_with_its_arrays(tmp_path: Path) -> None:
    before = open_files()
    file = ArrayFile(tmp_path)
    found = file.arrays(file.put({str(number): np.ones(1000) for number in range(50)}))
    del file
    assert open_files() == before + 1
    assert list(tmp_path.iterdir()) == []
    del found
    assert open_files() == before


def test_received_arrays_cannot_be_changed(tmp_path: Path) -> None:
    file = ArrayFile(tmp_path)
    found = file.arrays(file.put(SENT))
    with pytest.raises(ValueError, match="read-only"):
        found["matrix"][0, 0] = 1


def test_from_the_start_of_a_run_an_update_is_downloaded_to_the_servers_disk(
    handler: ViaDownloaderDecomposer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download_arrays(*, from_fqcn: str, arrays_received_cb: Any) -> Any:
        assert from_fqcn == "site"
        return None, arrays_received_cb({"matrix": SENT["matrix"]}) | arrays_received_cb({"count": SENT["count"]})

    monkeypatch.setattr(module, "download_arrays", download_arrays)
    context = FLContextManager(engine=Engine([], {}), identity_name="server", job_id="job").new_context()
    context.set_prop(FLContextKey.APP_ROOT, str(tmp_path), private=True, sticky=True)
    UpdateDecoder().handle_event(EventType.START_RUN, context)
    error, found = handler.download(from_fqcn="site")
    assert error is None
    assert found.keys() == {"matrix", "count"}
    assert np.array_equal(found["matrix"], SENT["matrix"])
    assert not found["matrix"].flags.owndata


def test_a_download_that_fails_says_so(
    handler: ViaDownloaderDecomposer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "download_arrays", lambda **_: ("timed out", None))
    receive_on_disk(tmp_path)
    assert handler.download(from_fqcn="site") == ("timed out", None)
