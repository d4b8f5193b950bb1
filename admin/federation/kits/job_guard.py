"""Guards FLARE's server process from what one site sends that would end the job of all sites.

``provision`` and the POC copy this file into ``local/custom`` of the server's kit. So it imports nothing of this
project.

FLARE 2.9.0 ends a job when one site's client says that its process of the job has failed. It also takes messages from a
site that only its own processes send: the end of a job, commands for another site, the end of a process. It does not
look into a bulk of messages. It believes the origin that a message states if it does not know the message's token.
"""

from __future__ import annotations

import time
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_constant import FLContextKey, RunProcessKey, SystemComponents
from nvflare.apis.fl_context import FLContext
from nvflare.apis.job_def import JobMetaKey
from nvflare.apis.job_launcher_spec import JobReturnCode
from nvflare.fuel.common.exit_codes import PROCESS_EXIT_REASON
from nvflare.fuel.f3.cellnet.defs import (
    CellChannel,
    CellChannelTopic,
    MessageHeaderKey,
    MessagePropKey,
    MessageType,
    ReturnCode,
)
from nvflare.fuel.f3.cellnet.fqcn import FqcnInfo
from nvflare.fuel.f3.cellnet.utils import make_reply
from nvflare.fuel.f3.message import Message
from nvflare.private.defs import CellMessageHeaderKeys, JobFailureMsgKey

# Channels on which only processes of the server send requests to another machine.
OF_SERVER = frozenset(
    {
        CellChannel.SERVER_PARENT_LISTENER,
        CellChannel.CLIENT_MAIN,
        CellChannel.CLIENT_COMMAND,
        "_net_manager",  # FLARE's name in nvflare.fuel.f3.cellnet.net_agent
    }
)
BULK = (CellChannel.CELLNET, "bulk")  # messages in one, which FLARE's processes do not send
EVENT_TOPIC = "fed.event"
SITE_FAILED = "fedaid_site_failed"  # an event of FLARE; its data are job, site and reason
CANNOT_START = (JobReturnCode.CONFIG_ERROR, JobReturnCode.UNSAFE_COMPONENT, JobReturnCode.INFRASTRUCTURE_ERROR)
START_SECONDS = 120.0  # after which a site's process has started or not
LONGEST = 80  # characters of what a site sent
MOST_NOTES = 20  # lines that the log gets of one site


class JobGuard(FLComponent):  # type: ignore[misc]
    """A component of the server's process; it has no effect in the processes of jobs.

    A failure of one site costs that site alone if the job can go on: if enough sites for ``min_clients`` of its
    ``meta.json`` are left. A site that cannot start its part of a job still ends it, so that a person mends the cause.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server: Any = None
        self._started: dict[str, float] = {}  # job → when
        self._failed: dict[str, set[str]] = {}  # job → sites whose process has failed
        self._noted: dict[str, set[str]] = {}  # site → what the log has of it

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Stand before FLARE's handlers, and note when a job starts."""
        if event_type == EventType.SYSTEM_START:
            self._server = fl_ctx.get_engine().server
            self._server.cell.core_cell.add_incoming_filter(channel="*", topic="*", cb=self.refuse)
            self._server.cell.register_request_cb(
                channel=CellChannel.SERVER_MAIN, topic=CellChannelTopic.REPORT_JOB_FAILURE, cb=self.take_failure
            )
            self._server.cell.register_request_cb(
                channel=CellChannel.AUX_COMMUNICATION, topic="*", cb=self.take_auxiliary
            )
        if event_type == EventType.JOB_STARTED:
            job = (fl_ctx.get_prop(FLContextKey.EVENT_DATA) or {}).get(JobMetaKey.JOB_ID.value)
            self._started[str(job)] = time.monotonic()

    def refuse(self, message: Message) -> Message | None:
        """Return the refusal of a message that only the server may send; None lets a message pass.

        A connection has the name that its certificate has, so its messages cannot come from the server's processes
        unless it is one of theirs.
        """
        headers = (MessageHeaderKey.ORIGIN, MessageHeaderKey.CHANNEL, MessageHeaderKey.TOPIC)
        origin, channel, topic = (message.get_header(key) for key in headers)
        connection = message.get_prop(MessagePropKey.ENDPOINT)
        if connection is not None and is_of_server(origin) and not is_of_server(connection.name):
            return self._refusal(connection.name, f"{channel} {topic} in the server's name")
        is_request = message.get_header(MessageHeaderKey.MSG_TYPE) == MessageType.REQ
        if is_request and (channel in OF_SERVER or (channel, topic) == BULK):
            return self._refusal(origin, f"{channel} {topic}")
        return None

    def take_auxiliary(self, request: Message) -> Message:
        """Hand an auxiliary message on unless it is an event of a site, which FLARE would fire at the server."""
        origin, topic = (request.get_header(key) for key in (MessageHeaderKey.ORIGIN, MessageHeaderKey.TOPIC))
        refusal = self._refusal(origin, topic) if topic == EVENT_TOPIC else None
        reply: Message = refusal or self._server.engine._handle_aux_message(request)
        return reply

    def _refusal(self, sender: object, what: str) -> Message | None:
        """Return the refusal of what is not of a process of the server."""
        if is_of_server(sender):
            return None
        self._note(FqcnInfo(sender).root if isinstance(sender, str) else "unknown", what[:LONGEST])
        return make_reply(ReturnCode.UNAUTHENTICATED, "no site may send this")

    def _note(self, site: str, what: str) -> None:
        noted = self._noted.setdefault(site, set())
        if what not in noted and len(noted) < MOST_NOTES:
            noted.add(what)
            self.logger.error(f"site {site}: {what!r} refused, because no site may send it")

    def take_failure(self, request: Message) -> Message:
        """Take a site's report that its process of a job has ended; FLARE's own handler takes what ends the job."""
        server, told = self._server, request.payload if isinstance(request.payload, dict) else {}
        job, code = told.get(JobFailureMsgKey.JOB_ID), told.get(JobFailureMsgKey.CODE)
        client = server.client_manager.clients.get(request.get_header(CellMessageHeaderKeys.TOKEN))
        failed = code in (*CANNOT_START, JobReturnCode.EXCEPTION, JobReturnCode.ABORTED)
        if client and isinstance(job, str) and code in PROCESS_EXIT_REASON:
            self._tell_failure(client.name, job, PROCESS_EXIT_REASON[code])
        if not (failed and client and isinstance(job, str) and self._goes_on_without(client.name, job, code)):
            reply: Message = server.process_job_failure(request)
            return reply
        self.logger.warning(f"site {client.name}: its process of job {job} has failed; the job goes on without it")
        server.engine.notify_dead_job(job, client.name, "its process has failed")
        with server._job_reported_clients_lock:  # FLARE says it again with the site's signs of life: the job may start
            server._job_reported_clients.setdefault(job, set()).add(client.token)
        server.engine.job_runner.resolve_client_outcome(job, client.name)
        return make_reply(ReturnCode.OK)

    def _tell_failure(self, site: str, job: str, reason: str) -> None:
        """Tell the other components of the server that a site's process has failed, if the site is in the job."""
        if not self._server.engine.job_runner.is_client_outcome_pending(job, site):
            return
        with self._server.engine.new_context() as fl_ctx:
            found = {"job": job, "site": site, "reason": reason}
            fl_ctx.set_prop(FLContextKey.EVENT_DATA, found, private=True, sticky=False)
            self._server.engine.fire_event(SITE_FAILED, fl_ctx)

    def _goes_on_without(self, site: str, job: str, code: object) -> bool:
        """Whether the job has enough sites without this one, and the site had started its part."""
        engine = self._server.engine
        process = engine.run_processes.get(job)
        running = engine.job_runner.running_jobs.get(job) or (self._starting(job) if process else None)
        since = time.monotonic() - self._started.get(job, time.monotonic())
        pending = engine.job_runner.is_client_outcome_pending(job, site)  # else it has no part in the job, or has told
        if not running or running.run_aborted or not process or not pending:
            return False
        if code in CANNOT_START and since < START_SECONDS:
            return False
        failed = self._failed.setdefault(job, set()) | {site}
        left = {client.name for client in process.get(RunProcessKey.PARTICIPANTS, {}).values()} - failed
        if len(left) < max(1, running.min_sites) or site in running.required_sites:
            return False
        self._failed[job] = failed
        return True

    def _starting(self, job: str) -> Any:
        """Return a job that FLARE does not call running yet, since it waits for the other sites to start it."""
        engine = self._server.engine
        with engine.new_context() as fl_ctx:
            return engine.get_component(SystemComponents.JOB_MANAGER).get_job(job, fl_ctx)


def is_of_server(name: object) -> bool:
    """Whether a name in FLARE's network is that of a process of the server."""
    return isinstance(name, str) and bool(FqcnInfo(name).is_on_server)
