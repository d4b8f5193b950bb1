from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

import msgpack
import numpy as np
import pytest
from nvflare.apis.client import Client
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContextManager
from nvflare.apis.shareable import Shareable
from nvflare.fuel.f3.cellnet import cell as flares_cell
from nvflare.fuel.f3.cellnet.defs import Encoding
from nvflare.fuel.f3.message import Message
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey
from nvflare.fuel.utils import fobs
from nvflare.fuel.utils.class_loader import get_class_name
from nvflare.fuel.utils.fobs import fobs as registry
from nvflare.fuel.utils.fobs.lobs import HEADER_STRUCT, MARKER_MAIN
from nvflare.private.defs import CellMessageHeaderKeys
from nvflare.private.fed.server.server_engine import ServerEngine

from fedaid.flare.transport.unreadable_answers import refuse_unreadable_answers
from fedaid.flare.wire.replies import error_text, was_refused


class Colour(Enum):
    RED = 1


@dataclass
class Note:
    text: str


def reading_ends() -> None:
    raise AssertionError("the server's process would exit")


class SentCell:
    """A cell that keeps what is registered and sent."""

    def __init__(self) -> None:
        self.core_cell = SimpleNamespace(my_info=SimpleNamespace(fqcn="server.job"))
        self.registered: dict[tuple[str, str], Callable[..., None]] = {}
        self.decode_pass_through_channels: set[str] = set()
        self.decode_pass_through_topics: set[tuple[str, str]] = set()

    def register_blob_cb(self, channel: str, topic: str, call: Callable[..., None]) -> None:
        self.registered[channel, topic] = call

    def get_fobs_context(self, props: dict[str, Any] | None = None) -> dict[str, Any]:
        return dict(props or {})


class JobEngine(ServerEngine):  # type: ignore[misc]
    """FLARE's engine of a job's process, reduced to what receives an answer.

    Attributes:
        got: answers that FLARE's own code was handed.
    """

    def __init__(self) -> None:
        self.got: list[Shareable] = []
        self.cell = SentCell()
        agent = SimpleNamespace(cell=self.cell, execute_command=self._take)
        manager = SimpleNamespace(clients={"known": Client("site-a", "known")})
        self.server = SimpleNamespace(command_agent=agent, client_manager=manager)
        work = SimpleNamespace(name="align")
        tasks = [SimpleNamespace(client=Client(site, ""), task=work, id=f"of {site}") for site in ("site-b", "site-a")]
        for task in tasks:
            task.result_received_time = None
        communicator = SimpleNamespace(_client_task_map={task.id: task for task in tasks})
        runner = SimpleNamespace(current_wf=SimpleNamespace(controller=SimpleNamespace(communicator=communicator)))
        self.contexts = FLContextManager(engine=self, identity_name="server", job_id="job")
        self.runner = runner

    def _take(self, request: Message) -> None:
        self.got.append(request.payload)

    def new_context(self) -> Any:
        context = self.contexts.new_context()
        context.set_prop(FLContextKey.RUNNER, self.runner, private=True, sticky=False)
        return context


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> JobEngine:
    monkeypatch.setattr(flares_cell.os, "_exit", lambda code: reading_ends())
    monkeypatch.setattr(flares_cell, "_is_server_job_cell", flares_cell._is_server_job_cell)
    return JobEngine()


def deliver(engine: JobEngine, payload: Any, *, sender: str = "known") -> Shareable:
    """Sends bytes as a site's answer and returns what FLARE's code is handed."""
    refuse_unreadable_answers(engine)
    ((channel, topic),) = engine.cell.registered
    headers = {
        StreamHeaderKey.CHANNEL: channel,
        StreamHeaderKey.TOPIC: topic,
        StreamHeaderKey.PAYLOAD_ENCODING: Encoding.FOBS,
        CellMessageHeaderKeys.TOKEN: sender,
    }
    engine.cell.registered[channel, topic](SimpleNamespace(headers=headers, result=lambda: payload))
    return engine.got.pop()


def section(content: bytes) -> bytes:
    """The bytes of a message whose content is not made by FLARE's encoder."""
    return bytes(HEADER_STRUCT.pack(MARKER_MAIN, 0, len(content)) + content)


def message(value: object) -> Shareable:
    answer = Shareable()
    answer["x"] = value
    return answer


def foreign(value: object) -> bytes:
    """A message as another process sends it: this one has not seen its classes."""
    data = bytes(fobs.dumps(message(value)))
    for kind in (Colour, Note):
        registry._decomposers.pop(get_class_name(kind), None)
    return data


def nested(depth: int) -> bytes:
    content = msgpack.packb(0)
    return section(bytes([0x91]) * depth + content)


HOSTILE: dict[str, Callable[[], Any]] = {
    "an enum": lambda: foreign(Colour.RED),
    "a dataclass": lambda: foreign([Note("x")]),
    "half a message": lambda: fobs.dumps(message("x" * 100))[:60],
    "nothing": lambda: b"",
    "no message": lambda: section(b"\xc1"),
    "900 levels": lambda: nested(900),
    "10,000 levels": lambda: nested(10_000),
    "a number": lambda: fobs.dumps(7),
    "another class": lambda: section(
        msgpack.packb({"__fobs_type__": "subprocess.Popen", "__fobs_data__": {}, "__fobs_dc__": "x.Y"})
    ),
    "a part that is missing": lambda: section(
        msgpack.packb({"__fobs_type__": "nvflare.apis.shareable.Shareable", "__fobs_data__": 3})
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_decoded_is_an_error_reply_to_the_task_of_its_sender(case: str, engine: JobEngine) -> None:
    got = deliver(engine, HOSTILE[case]())
    assert was_refused(got)
    assert error_text(got).startswith("the answer cannot be decoded (")
    assert got.get_header(FLContextKey.TASK_NAME) == "align"
    assert got.get_cookie(FLContextKey.TASK_ID) == "of site-a"
    peer = got.get_peer_context()
    assert (peer.get_identity_name(), peer.get_job_id()) == ("site-a", "job")


def test_a_sound_answer_passes_to_the_bit(engine: JobEngine) -> None:
    values = np.arange(5, dtype=np.float32)
    got = deliver(engine, fobs.dumps(message({"values": values, "text": "x" * 20_000_000})))
    assert got["x"]["values"].tobytes() == values.tobytes()
    assert len(got["x"]["text"]) == 20_000_000
    assert not was_refused(got)


def test_a_sender_without_a_task_is_answered_and_touches_no_task(engine: JobEngine) -> None:
    for task in engine.runner.current_wf.controller.communicator._client_task_map.values():
        task.result_received_time = 1.0
    assert deliver(engine, b"").get_cookie(FLContextKey.TASK_ID) == ""
    assert deliver(engine, b"", sender="forged").get_peer_context().get_identity_name() == ""


def test_a_site_that_calls_a_message_too_large_does_not_end_the_servers_process(engine: JobEngine) -> None:
    refuse_unreadable_answers(engine)
    assert not flares_cell._is_server_job_cell(SimpleNamespace(fqcn="server.job"))
