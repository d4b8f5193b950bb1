"""Makes an answer that FLARE cannot decode a refusal of its site in that phase.

FLARE 2.9.0 exits the server's process of the job when it cannot decode an answer: an enum, a dataclass, a message that
is nested too deeply. It also exits when a site calls a message too large. So one site could end the run of all sites.
Here the answer is replaced by an error reply to the task that the site has. Nothing of its bytes is used: the sender's
token gives the site, and the server's own table gives the task.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nvflare.apis.fl_constant import FLContextKey, ReservedKey, ReturnCode, ServerCommandNames
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.fuel.f3.cellnet import cell as flares_cell
from nvflare.fuel.f3.cellnet.cell import Adapter
from nvflare.fuel.f3.cellnet.utils import decode_payload
from nvflare.fuel.f3.message import Message
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey
from nvflare.private.defs import CellChannel, CellMessageHeaderKeys
from nvflare.private.fed.server.server_engine import ServerEngine

from fedaid.flare.wire.replies import error_reply

LONGEST_KIND = 40  # characters


class Received(NamedTuple):
    """A message that is decoded already, in the form in which FLARE hands over a stream of bytes.

    Attributes:
        headers: of the message; without an encoding, so that FLARE does not decode it again.
        content: the decoded message.
    """

    headers: dict[str, Any]
    content: Any

    def result(self) -> Any:
        """The decoded message."""
        return self.content


class ReadableAnswers(Adapter):  # type: ignore[misc]
    """Receives the sites' answers in the server's process of a job.

    Args:
        engine: FLARE's engine of this process.
    """

    def __init__(self, engine: ServerEngine) -> None:
        agent = engine.server.command_agent
        super().__init__(agent.execute_command, agent.cell.core_cell.my_info, agent.cell)
        self._engine = engine

    def call(self, future: Any, *args: Any, **options: Any) -> None:
        """Decodes an answer and hands it on; FLARE calls this in a thread of its own."""
        message = Message(future.headers, future.result())
        try:
            decode_payload(message, StreamHeaderKey.PAYLOAD_ENCODING, fobs_ctx=self.cell.get_fobs_context())
            kind = type(message.payload).__name__
        except Exception as error:  # whatever the site's bytes cause; FLARE would exit here
            message.payload, kind = None, type(error).__name__
        if not isinstance(message.payload, Shareable):
            message.remove_header(StreamHeaderKey.PAYLOAD_ENCODING)
            message.payload = self._refusal(message.get_header(CellMessageHeaderKeys.TOKEN), kind)
        super().call(Received(message.headers, message.payload), *args, **options)

    def _refusal(self, token: object, kind: str) -> Shareable:
        """An error reply to the task of the site with this token; the controller ignores it if there is no such task.

        Args:
            token: that the server gave the site.
            kind: name of the decoder's exception, or of the type that arrived.
        """
        client = self._engine.server.client_manager.clients.get(token)
        site = client.name if client else ""
        text = f"the answer cannot be decoded ({kind[:LONGEST_KIND]})"
        self.logger.error(f"site {site or 'unknown'}: {text}")
        reply = error_reply(ReturnCode.EXECUTION_RESULT_ERROR, text, refused=True)
        with self._engine.new_context() as fl_ctx:
            task = standing_task(fl_ctx, site)
            reply.set_header(FLContextKey.TASK_NAME, task.task.name if task else "")
            reply.add_cookie(FLContextKey.TASK_ID, task.id if task else "")
            reply.set_peer_context(context_of(site, fl_ctx.get_job_id()))
        return reply


def standing_task(fl_ctx: FLContext, site: str) -> Any:
    """The task that a site was given last and has not answered, or None.

    FLARE 2.9.0 has no public table of the tasks that sites have.
    """
    runner = fl_ctx.get_prop(FLContextKey.RUNNER)
    workflow = getattr(runner, "current_wf", None)
    tasks = list(workflow.controller.communicator._client_task_map.values()) if workflow else []
    mine = [task for task in tasks if task.client.name == site and task.result_received_time is None]
    return mine[-1] if mine else None


def context_of(site: str, job_id: str) -> FLContext:
    """The public part of a context that a site of the job sends along."""
    context = FLContext()
    context.set_public_props({ReservedKey.IDENTITY_NAME: site, ReservedKey.RUN_NUM: job_id})
    return context


def refuse_unreadable_answers(engine: Any) -> None:
    """Sets up the server's process of a job; has no effect in a process without a cell of FLARE.

    Args:
        engine: FLARE's engine of this process.
    """
    if not isinstance(engine, ServerEngine):
        return
    flares_cell._is_server_job_cell = lambda info: False  # the rule by which a cell exits its process
    answers = ReadableAnswers(engine)
    answers.cell.register_blob_cb(CellChannel.SERVER_COMMAND, ServerCommandNames.SUBMIT_UPDATE, answers.call)
