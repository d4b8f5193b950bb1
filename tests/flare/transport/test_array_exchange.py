from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.app_common.decomposers.numpy_decomposers import NumpyArrayDecomposer
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.cellnet.utils import make_reply
from nvflare.fuel.f3.message import Message
from nvflare.fuel.f3.streaming.download_service import DownloadService
from nvflare.fuel.utils import fobs
from nvflare.fuel.utils.fobs.decomposers.via_downloader import ViaDownloaderDecomposer
from nvflare.private.fed.server.server_runner import ServerRunner

from fedaid.flare.transport import asking_cell
from fedaid.flare.transport.array_exchange import receive_at_site, receive_on_disk
from fedaid.flare.transport.asking_cell import AskingCell
from fedaid.flare.transport.received_arrays import ArrayFile
from fedaid.flare.wire.messages import update_from_shareable, update_to_shareable
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.training.processes.array_file import say_memory_is_used
from tests.flare.transport.test_received_arrays import SENT
from tests.flare.wire_link import Server, Site

Install = Callable[[], None]


@pytest.fixture
def handler() -> ViaDownloaderDecomposer:
    """FLARE's own, which a fixture of this folder puts right after each test."""
    fobs.register(NumpyArrayDecomposer)
    return fobs.get_dot_handler(NumpyArrayDecomposer().get_download_dot())


class Cell:
    """Asks FLARE's download service of this same process.

    Attributes:
        sent: bytes of each answer's largest part.
        change: what a liar makes of the parts that it sends.
    """

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.change: Callable[[list[Any]], Any] = lambda items: items

    def get_fqcn(self) -> str:
        return "here"

    def register_request_cb(self, **_: Any) -> None:
        """Asked directly."""

    def fire_and_forget(self, **_: Any) -> None:
        """A confirmation, which matters to the sender only."""

    def send_request(self, *, request: Message, **_: Any) -> Message:
        request.set_header(MessageHeaderKey.ORIGIN, "there")
        reply: Message = DownloadService._handle_download(request)
        if isinstance(reply.payload, dict) and reply.payload.get("data"):
            self.sent.append(max(map(len, reply.payload["data"])))
            reply.payload["data"] = self.change(reply.payload["data"])
        return reply


def as_flare(handler: ViaDownloaderDecomposer) -> Install:
    def install() -> None:
        for name in ("download", "to_downloadable"):
            vars(handler).pop(name, None)

    return install


def moved(content: Any, sender: Install, receiver: Install, cell: Cell) -> Any:
    """What arrives of a message."""
    sender()
    data = fobs.dumps(content, fobs_ctx={fobs.FOBSContextKey.CELL: cell})
    receiver()
    return fobs.loads(data, fobs_ctx={fobs.FOBSContextKey.CELL: cell})


@pytest.fixture
def ways(handler: ViaDownloaderDecomposer, tmp_path: Path) -> dict[str, Install]:
    return {
        "site": lambda: receive_at_site(tmp_path),
        "server": lambda: receive_on_disk(tmp_path),
        "flare": as_flare(handler),
    }


@pytest.mark.parametrize(
    ("sender", "receiver", "in_blocks"),
    [
        ("server", "site", True),
        ("site", "server", True),
        ("flare", "site", False),
        ("flare", "server", False),
        ("site", "flare", False),
        ("server", "flare", False),
    ],
)
def test_a_message_arrives_to_the_bit_whoever_knows_blocks(
    sender: str, receiver: str, in_blocks: bool, ways: dict[str, Install]
) -> None:
    cell, content = Cell(), {"arrays": SENT | {"words": np.array(["a"])}, "number": 3}
    found = moved(content, ways[sender], ways[receiver], cell)
    assert found["number"] == 3
    assert found["arrays"]["words"].tolist() == ["a"]
    for name, array in SENT.items():
        got = found["arrays"][name]
        assert (got.dtype, got.shape, got.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert (max(cell.sent) < SENT["long"].nbytes) == in_blocks


def test_what_the_server_receives_lies_on_disk(ways: dict[str, Install]) -> None:
    found = moved({"a": SENT["matrix"]}, ways["site"], ways["server"], Cell())
    assert not found["a"].flags.owndata
    assert not found["a"].flags.writeable


def test_what_a_site_receives_lies_on_disk_and_can_be_changed_like_any_array(ways: dict[str, Install]) -> None:
    found = moved({"a": SENT["matrix"]}, ways["server"], ways["site"], Cell())
    assert not found["a"].flags.owndata
    found["a"] += 1
    assert np.array_equal(found["a"], SENT["matrix"] + 1)


def test_a_site_whose_folder_takes_no_file_receives_in_memory_and_the_log_says_so(
    ways: dict[str, Install], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    say_memory_is_used.cache_clear()
    absent = tmp_path / "absent"
    found = moved({"a": SENT["matrix"]}, ways["server"], lambda: receive_at_site(absent), Cell())
    assert found["a"].tobytes() == SENT["matrix"].tobytes()
    assert caplog.text.count("need memory instead") == 1
    assert str(absent) not in caplog.text


def forged(items: list[Any]) -> list[Any]:
    return [item.replace(b'"shape": [2', b'"shape": [9') for item in items]


LIES: dict[str, Callable[[list[Any]], Any]] = {
    "another shape": forged,
    "nothing that can be read": lambda items: [b"PK\x03\x04"],
    "no parts": lambda items: 7,
    "part of it left out": lambda items: [item for item in items if b'"T0"' not in item],
    "no type": lambda items: [item.replace(b"<f4", b"|O8") for item in items],
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_site_makes_up_is_an_answer_that_is_refused_and_no_end_of_the_servers_process(
    lie: str, ways: dict[str, Install], tmp_path: Path
) -> None:
    cell, server, site = Cell(), Server(), Site("a", tmp_path / "a")
    site.receive(server.send(server.broadcast({"matrix": np.zeros((2, 3), np.float32)}), site))
    cell.change = LIES[lie]
    answer = moved(site.answer({"matrix": np.ones((2, 3), np.float32)}), ways["site"], ways["server"], cell)
    taken = server.take(answer, site)
    assert taken.get_return_code() == "BAD_TASK_DATA"


@pytest.mark.parametrize("lie", ["another shape", "nothing that can be read", "no type"])
def test_an_update_that_no_filter_unpacks_is_refused_by_its_reader_too(lie: str, ways: dict[str, Install]) -> None:
    cell = Cell()
    cell.change = LIES[lie]
    update = update_to_shareable(UpdateMessage(0, {"matrix": SENT["matrix"]}, {}, 10, {}))
    found = update_from_shareable(moved(update, ways["site"], ways["server"], cell))
    assert isinstance(found.delta["matrix"], str)
    assert "unreadable" in found.delta["matrix"]


def test_a_site_that_cannot_read_a_message_says_so(ways: dict[str, Install]) -> None:
    cell = Cell()
    cell.change = forged
    with pytest.raises(RuntimeError, match="failed to download"):
        moved({"a": SENT["matrix"]}, ways["server"], ways["site"], cell)


class Silent(Cell):
    """A site that is gone before the server has its arrays."""

    def send_request(self, **_: Any) -> Message:
        return make_reply(ReturnCode.COMM_ERROR)


def test_a_download_that_ends_early_is_an_answer_that_is_refused(
    ways: dict[str, Install], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_cell, "PATIENCE", 0.0)
    monkeypatch.setattr(asking_cell, "PAUSE", 0.0)
    server, site = Server(), Site("a", tmp_path / "a")
    site.receive(server.send(server.broadcast({"matrix": np.zeros((2, 3), np.float32)}), site))
    answer = moved(site.answer({"matrix": np.ones((2, 3), np.float32)}), ways["site"], ways["server"], Silent())
    assert server.take(answer, site).get_return_code() == "BAD_TASK_DATA"


def test_a_full_disk_of_the_server_is_an_answer_that_is_refused(
    ways: dict[str, Install], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    update = update_to_shareable(UpdateMessage(0, {"matrix": SENT["matrix"]}, {}, 10, {}))
    for place in ("begin", "write", "arrays", "__init__"):
        with monkeypatch.context() as patch:
            patch.setattr(ArrayFile, place, full)
            found = update_from_shareable(moved(update, ways["site"], ways["server"], Cell()))
        assert "unreadable" in found.delta["matrix"], place


def test_an_array_of_objects_is_an_answer_that_is_refused(ways: dict[str, Install]) -> None:
    update = update_to_shareable(UpdateMessage(0, {"matrix": SENT["matrix"]}, {}, 10, {}))
    update["DXO"]["data"]["matrix"] = np.array([{}, None], object)
    found = update_from_shareable(moved(update, ways["site"], ways["server"], Cell()))
    assert "unreadable" in found.delta["matrix"]


def test_no_return_code_of_one_site_ends_the_job(ways: dict[str, Install]) -> None:
    ways["server"]()
    assert ServerRunner.ABORT_RETURN_CODES == []


def test_a_cell_that_asks_is_known_to_flare_as_the_cell_that_it_is() -> None:
    cell = Cell()
    asking = AskingCell(cell)
    assert {cell: 1}[asking] == 1  # type: ignore[index]
    assert asking.get_fqcn() == "here"
