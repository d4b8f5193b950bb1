"""What a site may not ask of the server's process of a job: FLARE's own handlers, behind our guard."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.client import Client
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import (
    AdminCommandNames,
    FedEventHeader,
    FLContextKey,
    MachineStatus,
    ReservedKey,
    ReservedTopic,
    ServerCommandNames,
)
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.apis.utils.event import fire_event_to_components
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.message import Message
from nvflare.private.aux_runner import AuxRunner
from nvflare.private.defs import CellMessageHeaderKeys
from nvflare.private.fed.server.server_command_agent import ServerCommandAgent
from nvflare.private.fed.server.server_engine import ServerEngine
from nvflare.private.fed.server.server_state import HotState
from nvflare.widgets.fed_event import FED_EVENT_TOPIC, ServerFedEventRunner

from fedaid.flare.transport import site_requests
from fedaid.flare.transport.site_requests import ASKING_SITE, REFUSED_REQUEST, REQUEST_TEXT, refuse_site_requests

SITE, SERVER = "site-a.job", "server"


class JobEngine(ServerEngine):  # type: ignore[misc]
    """FLARE's engine of a job's process, reduced to its handlers of messages and events.

    Attributes:
        fired: events that reached the components.
        aborted: whether the runner was told to abort.
    """

    def __init__(self) -> None:
        self.fired: list[str] = []
        self.aborted = False
        self.notes: list[tuple[str, str]] = []
        self.engine_info = SimpleNamespace(status=MachineStatus.STOPPED)
        manager = SimpleNamespace(clients={"known": Client("site-a", "known")})
        server = SimpleNamespace(client_manager=manager, server_state=HotState("host", 1, "ssid"))
        server.authentication_check = lambda request, state: None
        self.server = server
        self.run_manager = SimpleNamespace(aux_runner=AuxRunner(self))
        self.events = ServerFedEventRunner(regular_interval=0.001, grace_period=0.0)
        self.contexts = FLContextManager(engine=self, identity_name="server", job_id="job")
        server.command_agent = ServerCommandAgent(self, SimpleNamespace())
        self.fire_event(EventType.START_RUN, self.new_context())

    def abort(self, fl_ctx: FLContext, turn_to_cold: bool = False) -> None:
        self.aborted = True

    def handle_dead_job(self, client_name: str, fl_ctx: FLContext) -> None:
        self.aborted = True

    def fire_event(self, event_type: str, fl_ctx: FLContext) -> None:
        self.fired.append(event_type)
        if event_type == EventType.FATAL_SYSTEM_ERROR:
            self.aborted = True
        if event_type == REFUSED_REQUEST:
            self.notes.append((fl_ctx.get_prop(ASKING_SITE), fl_ctx.get_prop(REQUEST_TEXT)))
        fire_event_to_components(event_type, [self.events], fl_ctx)

    def register_aux_message_handler(self, topic: str, message_handle_func: Any) -> None:
        self.run_manager.aux_runner.register_aux_message_handler(topic, message_handle_func)

    def new_context(self) -> Any:
        context = self.contexts.new_context()
        context.set_prop(FLContextKey.RUNNER, self, private=True, sticky=False)
        context.set_prop(ReservedKey.RUN_ABORT_SIGNAL, Signal(), private=True, sticky=True)
        return context

    def command(self, name: str, *, origin: object = SITE, known_as: str = "known") -> Message:
        request = self._request(name, Shareable(), origin, known_as)
        return self.server.command_agent.execute_command(request)

    def aux(self, topic: str, event: str = "", *, origin: object = SITE) -> Message:
        message = Shareable()
        message.set_header(FedEventHeader.EVENT_TYPE, event)
        message.set_header(FedEventHeader.TIMESTAMP, 1.0)
        message.set_peer_props({"__identity_name__": "server"})
        return self.server.command_agent.aux_communicate(self._request(topic, message, origin))

    def _request(self, topic: str, payload: object, origin: object, known_as: str = "known") -> Message:
        headers = {MessageHeaderKey.TOPIC: topic, MessageHeaderKey.ORIGIN: origin}
        return Message(headers | {CellMessageHeaderKeys.TOKEN: known_as}, payload)

    def wait_for_events(self) -> None:
        """Lets the thread that fires the events of sites end."""
        self.events.asked_to_stop = True
        if self.events.poster:
            self.events.poster.join(timeout=10)


@pytest.fixture
def engine() -> Iterator[JobEngine]:
    made = JobEngine()
    yield made
    made.wait_for_events()


ENDS = [
    EventType.FATAL_SYSTEM_ERROR,
    EventType.END_RUN,
    EventType.ABOUT_TO_END_RUN,
    EventType.ABORT_TASK,
    EventType.START_RUN,
    EventType.CLIENT_DISCONNECTED,
    "fed.analytix_log_stats",
]


@pytest.mark.parametrize("event", ENDS)
def test_an_event_of_a_site_is_not_fired_and_the_site_is_named(event: str, engine: JobEngine) -> None:
    refuse_site_requests(engine)
    reply = engine.aux(FED_EVENT_TOPIC, event)
    engine.wait_for_events()
    assert reply.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
    assert engine.fired == [EventType.START_RUN, REFUSED_REQUEST]
    assert engine.notes == [("site-a", f"it sent event {event}")]
    assert not engine.aborted


def test_without_the_guard_flare_ends_the_job_for_one_site(engine: JobEngine) -> None:
    engine.aux(FED_EVENT_TOPIC, EventType.FATAL_SYSTEM_ERROR)
    engine.wait_for_events()
    assert engine.aborted


COMMANDS = [
    AdminCommandNames.ABORT,
    AdminCommandNames.SHUTDOWN,
    ServerCommandNames.HANDLE_DEAD_JOB,
    ServerCommandNames.SERVER_STATE,
    AdminCommandNames.CONFIGURE_JOB_LOG,
    "anything",
]


@pytest.mark.parametrize("origin", [SITE, "relay.site-a.job", "server2.job", None, 7])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_server_that_a_site_sends_is_not_run(command: str, origin: object, engine: JobEngine) -> None:
    refuse_site_requests(engine)
    state = engine.server.server_state
    reply = engine.command(command, origin=origin)
    assert reply.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
    assert engine.notes == [("site-a", f"it sent command {command}")]
    assert not engine.aborted
    assert engine.server.server_state is state


def test_the_servers_own_commands_and_the_messages_that_a_job_needs_pass(engine: JobEngine) -> None:
    refuse_site_requests(engine)
    seen: list[str] = []
    engine.register_aux_message_handler(
        ReservedTopic.JOB_HEART_BEAT, lambda topic, request, fl_ctx: seen.append(topic) or Shareable()
    )
    engine.aux(ReservedTopic.JOB_HEART_BEAT)
    assert seen == [ReservedTopic.JOB_HEART_BEAT]
    engine.command(AdminCommandNames.ABORT, origin=SERVER)
    assert engine.aborted
    assert engine.notes == []


def test_what_is_logged_of_a_site_is_short_printable_and_bounded(
    engine: JobEngine, caplog: pytest.LogCaptureFixture
) -> None:
    refuse_site_requests(engine)
    for _ in range(3):
        engine.aux(FED_EVENT_TOPIC, "line\nline")
    assert engine.notes == [("site-a", "it sent event with an unprintable name")] * 3
    assert len(caplog.records) == 1
    for number in range(2 * site_requests.MOST_NOTES):
        engine.command(f"{number} {'x' * 1000}")
    assert len(caplog.records) == site_requests.MOST_NOTES
    assert max(len(text) for _, text in engine.notes) < 60


def test_what_one_site_sends_hides_no_request_of_another(engine: JobEngine, caplog: pytest.LogCaptureFixture) -> None:
    refuse_site_requests(engine)
    engine.server.client_manager.clients["other"] = Client("site-b", "other")
    for number in range(site_requests.MOST_NOTES + 1):
        engine.command(f"command {number}")
    caplog.clear()
    engine.command(AdminCommandNames.ABORT, known_as="other")
    assert engine.notes[-1] == ("site-b", "it sent command abort")
    assert "site site-b: command abort refused" in caplog.text


def test_a_payload_that_is_no_event_is_refused_too(engine: JobEngine) -> None:
    refuse_site_requests(engine)
    request = engine._request(FED_EVENT_TOPIC, None, SITE)
    reply = engine.server.command_agent.aux_communicate(request)
    assert reply.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED


def test_a_process_without_flares_engine_is_left_alone() -> None:
    refuse_site_requests(SimpleNamespace())
