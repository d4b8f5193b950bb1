"""One site's failure and one site's messages, at FLARE's server process with its own filters of messages."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.client import Client
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, RunProcessKey, ServerCommandNames
from nvflare.apis.fl_context import FLContextManager
from nvflare.apis.job_def import Job
from nvflare.apis.job_launcher_spec import JobReturnCode
from nvflare.fuel.f3.cellnet.core_cell import _TOPIC_BULK
from nvflare.fuel.f3.cellnet.defs import (
    CellChannel,
    CellChannelTopic,
    MessageHeaderKey,
    MessagePropKey,
    MessageType,
    ReturnCode,
)
from nvflare.fuel.f3.cellnet.net_agent import _CHANNEL, _TOPIC_STOP, _TOPIC_STOP_CELL
from nvflare.fuel.f3.endpoint import Endpoint
from nvflare.fuel.f3.message import Message
from nvflare.private.defs import CellMessageHeaderKeys, JobFailureMsgKey
from nvflare.private.fed.server.fed_server import FederatedServer
from nvflare.private.fed.server.job_runner import JobRunner
from nvflare.widgets.fed_event import FED_EVENT_TOPIC

from admin.federation.kit_settings import GUARD_FILE, add_guard
from admin.federation.kits import job_guard
from admin.federation.kits.job_guard import EVENT_TOPIC, OF_SERVER, START_SECONDS, JobGuard

SITES = ("lake", "north", "south")


class Server:
    """FLARE's own handler of a site's report, and its own keeper of jobs, around one running job."""

    process_job_failure = FederatedServer.process_job_failure
    _notify_dead_job = FederatedServer._notify_dead_job

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, least: int = 2, required: list[str] | None = None) -> None:
        self.logger = SimpleNamespace(info=lambda text: None, warning=lambda text: None, error=lambda text: None)
        self.filters: list[Any] = []
        self.handlers: dict[str, Any] = {CellChannelTopic.REPORT_JOB_FAILURE: self.process_job_failure, "*": None}
        core = SimpleNamespace(add_incoming_filter=lambda channel, topic, cb: self.filters.append((channel, topic, cb)))
        self.cell = SimpleNamespace(core_cell=core, register_request_cb=self._register)
        clients = {f"token-{site}": Client(site, f"token-{site}") for site in SITES}
        known = SimpleNamespace(clients=clients, is_from_authorized_client=lambda token: token in clients)
        self.client_manager = known
        runner = JobRunner(workspace_root="")
        job = Job("job", {}, {}, {}, min_sites=least, required_sites=required)
        runner.running_jobs["job"] = job
        runner._pending_client_outcomes["job"] = {*SITES}
        monkeypatch.setattr(runner, "_stop_run", lambda job, fl_ctx: None)
        self._job_reported_clients: dict[str, set[str]] = {}
        self._job_reported_clients_lock = threading.Lock()
        self.dead: list[str] = []
        self.told: list[tuple[str, Any]] = []
        self.engine = SimpleNamespace(
            server=self,
            job_runner=runner,
            run_processes={"job": {RunProcessKey.PARTICIPANTS: clients}},
            exception_run_processes={},
            _handle_aux_message=lambda request: "handled",
            notify_dead_job=lambda job, site, reason: self.dead.append(site),
            lock=threading.Lock(),
            fire_event=lambda event, context: self.told.append((event, context.get_prop(FLContextKey.EVENT_DATA))),
            new_context=self._context,
            get_component=lambda name: SimpleNamespace(get_job=lambda job_id, fl_ctx: job),
        )
        self.guard = JobGuard()
        self.fire(EventType.SYSTEM_START)
        self.fire(EventType.JOB_STARTED, {"job_id": "job"})

    def _register(self, channel: str, topic: str, cb: Any) -> None:
        assert (channel == CellChannel.AUX_COMMUNICATION) == (topic == "*")
        assert topic in self.handlers
        self.handlers[topic] = cb

    def _context(self) -> Any:
        context = FLContextManager(engine=self.engine, identity_name="server", job_id="").new_context()
        return nullcontext(context)

    def fire(self, event: str, data: Any = None) -> None:
        with self._context() as context:
            context.set_prop(FLContextKey.EVENT_DATA, data, private=True, sticky=False)
            self.guard.handle_event(event, context)

    def report(self, site: str, code: int = JobReturnCode.EXCEPTION, job: str = "job") -> Message:
        payload = {JobFailureMsgKey.JOB_ID: job, JobFailureMsgKey.CODE: code, JobFailureMsgKey.REASON: "exception"}
        message = Message({CellMessageHeaderKeys.TOKEN: f"token-{site}", MessageHeaderKey.ORIGIN: site}, payload)
        reply: Message = self.handlers[CellChannelTopic.REPORT_JOB_FAILURE](message)
        return reply

    def heartbeat(self, site: str, jobs: list[str]) -> None:
        """The site's client gives a sign of life with its jobs; FLARE's own code takes it."""
        message = Message({CellMessageHeaderKeys.JOB_IDS: jobs}, None)
        FederatedServer._sync_client_jobs(self, message, f"token-{site}")

    @property
    def failed(self) -> bool:
        return "job" in self.engine.exception_run_processes


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(monkeypatch)


def test_without_the_guard_a_report_of_one_site_ends_the_job(server: Server) -> None:
    server.handlers[CellChannelTopic.REPORT_JOB_FAILURE] = server.process_job_failure
    server.report("lake")
    assert server.failed


def test_a_failure_of_one_site_costs_that_site_and_not_the_job(server: Server) -> None:
    assert server.report("lake").get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.OK
    assert (server.failed, server.dead) == (False, ["lake"])
    assert not server.engine.job_runner.is_client_outcome_pending("job", "lake")  # the job's end does not wait for it


@pytest.mark.parametrize(
    ("code", "reason"),
    [(JobReturnCode.UNSAFE_COMPONENT, "unsafe component"), (JobReturnCode.EXCEPTION, "exception")],
)
def test_a_failure_is_told_to_the_watch_with_the_site_and_flares_reason_once(
    server: Server, code: int, reason: str
) -> None:
    server.report("lake", code)
    server.report("lake", code)
    server.report("lake", code, job="other")
    server.report("north", JobReturnCode.ABORTED)
    assert server.told == [(job_guard.SITE_FAILED, {"job": "job", "site": "lake", "reason": reason})]


def test_a_failure_while_the_other_sites_start_the_job_costs_that_site_too(server: Server) -> None:
    job = server.engine.job_runner.running_jobs.pop("job")
    server.report("lake")
    assert (server.failed, server.dead) == (False, ["lake"])
    server.engine.job_runner.running_jobs["job"] = job
    server.report("north")
    assert server.failed, "two of three must be left"


def test_a_job_that_did_not_listen_yet_hears_of_the_failure_with_the_next_sign_of_life(server: Server) -> None:
    server.heartbeat("lake", [])
    assert server.dead == [], "FLARE tells it of a site that had reported the job only"
    server.report("lake")
    server.heartbeat("lake", [])
    server.heartbeat("north", ["job"])
    assert server.dead == ["lake", "lake"]


def test_a_job_without_enough_sites_ends_as_before(server: Server) -> None:
    server.report("lake")
    server.report("lake")
    assert not server.failed
    server.report("north")
    assert server.failed


@pytest.mark.parametrize("site", SITES)
def test_a_site_that_the_job_names_as_mandatory_ends_it(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, required=["lake"])
    server.report(site)
    assert server.failed == (site == "lake")


@pytest.mark.parametrize("code", job_guard.CANNOT_START)
def test_a_site_that_cannot_start_its_part_ends_the_job_but_only_at_its_start(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(monkeypatch)
    server.guard._started["job"] -= START_SECONDS + 1
    server.report("lake", code)
    assert (server.failed, server.dead) == (False, ["lake"])
    server = Server(monkeypatch)
    server.report("lake", code)
    assert server.failed or server.engine.job_runner.running_jobs["job"].run_aborted


@pytest.mark.parametrize("job", ["another", None])
def test_a_report_of_another_job_changes_nothing(job: Any, server: Server) -> None:
    server.report("lake", job=job)
    server.report("stranger")
    assert (server.failed, server.dead) == (False, [])


def request(channel: str, topic: str, *, origin: str = "lake.job", to: str = "server", kind: str = "req") -> Message:
    keys = (MessageHeaderKey.CHANNEL, MessageHeaderKey.TOPIC, MessageHeaderKey.ORIGIN, MessageHeaderKey.DESTINATION)
    return Message(dict(zip(keys, (channel, topic, origin, to), strict=True)) | {MessageHeaderKey.MSG_TYPE: kind})


def over(connection: str, message: Message) -> Message:
    """The message as it arrives over a connection of this name."""
    message.set_prop(MessagePropKey.ENDPOINT, Endpoint(connection))
    return message


HOSTILE = {
    "the job has ended": (CellChannel.SERVER_PARENT_LISTENER, ServerCommandNames.UPDATE_RUN_STATUS, "server"),
    "who takes part": (CellChannel.SERVER_PARENT_LISTENER, ServerCommandNames.GET_CLIENTS, "server"),
    "end of the server": (_CHANNEL, _TOPIC_STOP, "server"),
    "end of the job's process": (_CHANNEL, _TOPIC_STOP_CELL, "server.job"),
    "end of another site": (CellChannel.CLIENT_MAIN, "sys.shutdown", "north"),
    "abort at another site": (CellChannel.CLIENT_COMMAND, "abort", "north.job"),
    "any of these in a bulk": (CellChannel.CELLNET, _TOPIC_BULK, "server"),
    "any of these in a bulk for another site": (CellChannel.CELLNET, _TOPIC_BULK, "north"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_only_the_server_may_send_is_refused_from_a_site(name: str, server: Server) -> None:
    channel, topic, to = HOSTILE[name]
    ((everywhere, all_topics, refuse),) = server.filters
    assert (everywhere, all_topics) == ("*", "*")
    refusal = refuse(request(channel, topic, to=to))
    assert refusal.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
    assert refuse(request(channel, topic, to=to, origin="server.job")) is None
    assert refuse(request(channel, topic, to=to, kind=MessageType.REPLY)) is None


@pytest.mark.parametrize(
    ("channel", "topic", "to"),
    [
        (CellChannel.SERVER_MAIN, CellChannelTopic.HEART_BEAT, "server"),
        (CellChannel.SERVER_COMMAND, CellChannelTopic.GET_TASK, "server.job"),
        (CellChannel.HCI, "command", "server"),
    ],
)
def test_what_a_site_needs_passes(channel: str, topic: str, to: str, server: Server) -> None:
    assert server.filters[0][2](request(channel, topic, to=to)) is None


@pytest.mark.parametrize("connection", ["lake", "lake.job", "member@lake.org", "relay.lake"])
@pytest.mark.parametrize("kind", [MessageType.REQ, MessageType.REPLY])
def test_nobody_sends_in_the_servers_name(connection: str, kind: str, server: Server) -> None:
    """FLARE compares a message's origin with its token only while it knows the token."""
    refuse = server.filters[0][2]
    for channel, topic in ((CellChannel.SERVER_COMMAND, CellChannelTopic.GET_TASK), (_CHANNEL, _TOPIC_STOP)):
        message = request(channel, topic, origin="server.job", kind=kind)
        refusal = refuse(over(connection, message))
        assert refusal.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
        assert refuse(over("server.job", message)) is None


def test_a_message_of_a_site_behind_a_relay_passes(server: Server) -> None:
    message = request(CellChannel.SERVER_MAIN, CellChannelTopic.HEART_BEAT, origin="relay.lake")
    assert server.filters[0][2](over("relay", message)) is None


def test_a_site_without_a_part_in_the_job_costs_nobody_anything(server: Server) -> None:
    server.engine.job_runner.resolve_client_outcome("job", "lake")
    server.report("lake")
    assert (server.failed, server.dead) == (False, [])


def test_an_event_of_a_site_is_not_fired_at_the_server(server: Server) -> None:
    take = server.handlers["*"]
    refusal = take(request(CellChannel.AUX_COMMUNICATION, FED_EVENT_TOPIC))
    assert refusal.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
    assert take(request(CellChannel.AUX_COMMUNICATION, FED_EVENT_TOPIC, origin="server.job")) == "handled"
    assert take(request(CellChannel.AUX_COMMUNICATION, "another topic")) == "handled"


def test_the_log_names_a_site_once_for_each_kind(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(60):
        for _ in range(2):
            server.guard.refuse(request(_CHANNEL, f"{_TOPIC_STOP}{number}"))
    lines = [record for record in caplog.records if "refused, because no site may send it" in record.message]
    assert len(lines) == job_guard.MOST_NOTES
    assert lines[0].message.startswith("site lake:")


def test_names_of_flare(tmp_path: Path) -> None:
    assert (EVENT_TOPIC, _CHANNEL in OF_SERVER) == (FED_EVENT_TOPIC, True)
    (tmp_path / "local").mkdir()
    add_guard(tmp_path)
    (component,) = json.loads((tmp_path / "local" / GUARD_FILE).read_text())["components"]
    module, _, name = component["path"].rpartition(".")
    copied = (tmp_path / "local" / "custom" / f"{module}.py").read_text()
    assert f"class {name}(" in copied
    assert not any(f"from {own}" in copied for own in ("fedaid", "admin"))
