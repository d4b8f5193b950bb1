"""Refuses what a site asks of the server's process of a job besides its tasks.

FLARE 2.9.0 fires an event that a site sends as if the server had fired it: with FATAL_SYSTEM_ERROR or END_RUN one site
ends the job of all. A site can also send the commands of the server's parent process: abort, another site is dead,
another log configuration. Our jobs need no event and no such command of a site. FLARE's parent process lets a message
pass only if its origin belongs to the site that has its token, so the origin tells sites from the server.
"""

from __future__ import annotations

from typing import Any

from nvflare.apis.fl_constant import FedEventHeader
from nvflare.apis.shareable import Shareable
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.cellnet.fqcn import FqcnInfo
from nvflare.fuel.f3.cellnet.utils import make_reply
from nvflare.fuel.f3.message import Message
from nvflare.fuel.utils.log_utils import get_obj_logger
from nvflare.private.defs import CellMessageHeaderKeys
from nvflare.private.fed.server.server_commands import ServerCommands
from nvflare.private.fed.server.server_engine import ServerEngine
from nvflare.widgets.fed_event import FED_EVENT_TOPIC

REFUSED_REQUEST = "fedaid_refused_request"  # event
ASKING_SITE, REQUEST_TEXT = "fedaid_asking_site", "fedaid_request_text"  # its private context properties
LONGEST_NAME = 40  # characters
MOST_NOTES = 20  # lines that one job logs of one site, so that a site cannot fill the server's disk


class SiteRequests:
    """Stands before FLARE's handlers of commands and of auxiliary messages.

    Args:
        engine: FLARE's engine of this process.
    """

    def __init__(self, engine: ServerEngine) -> None:
        agent = engine.server.command_agent
        self._engine, self._execute, self._communicate = engine, agent._execute_command, agent._aux_communicate
        self._noted: dict[str, set[str]] = {}  # site → what the log has of it
        self.logger = get_obj_logger(self)

    def execute(self, request: Message) -> Message:
        """Hands a command on if a site may send it, or if the server's parent process sent it."""
        name = request.get_header(MessageHeaderKey.TOPIC)
        if name in ServerCommands.client_request_commands_names or is_of_server(request):
            return self._execute(request)
        return self._refusal(request, f"command {shortened(name)}")

    def communicate(self, request: Message) -> Message:
        """Hands an auxiliary message on unless it is an event of a site."""
        if request.get_header(MessageHeaderKey.TOPIC) != FED_EVENT_TOPIC or is_of_server(request):
            return self._communicate(request)
        event = request.payload
        name = event.get_header(FedEventHeader.EVENT_TYPE) if isinstance(event, Shareable) else None
        return self._refusal(request, f"event {shortened(name)}")

    def _refusal(self, request: Message, what: str) -> Message:
        """Answers the site, tells the controller, and names the site once for each kind of request in the log."""
        client = self._engine.server.client_manager.clients.get(request.get_header(CellMessageHeaderKeys.TOKEN))
        site = client.name if client else "unknown"
        noted = self._noted.setdefault(site, set())
        if what not in noted and len(noted) < MOST_NOTES:
            noted.add(what)
            self.logger.error(f"site {site}: {what} refused, because no site may send it")
        with self._engine.new_context() as fl_ctx:
            fl_ctx.set_prop(ASKING_SITE, site, private=True, sticky=False)
            fl_ctx.set_prop(REQUEST_TEXT, f"it sent {what}", private=True, sticky=False)
            self._engine.fire_event(REFUSED_REQUEST, fl_ctx)
        return make_reply(ReturnCode.UNAUTHENTICATED, "no site may send this")


def is_of_server(request: Message) -> bool:
    """Whether a message comes from a process of the server."""
    origin = request.get_header(MessageHeaderKey.ORIGIN)
    return isinstance(origin, str) and bool(FqcnInfo(origin).is_on_server)


def shortened(name: object) -> str:
    """A name that a site chose, in one short line."""
    text = str(name)[:LONGEST_NAME]
    return text if text.isprintable() else "with an unprintable name"


def refuse_site_requests(engine: Any) -> None:
    """Sets up the server's process of a job; has no effect in a process that is not FLARE's.

    Args:
        engine: FLARE's engine of this process.
    """
    if isinstance(engine, ServerEngine):
        requests, agent = SiteRequests(engine), engine.server.command_agent
        agent._execute_command, agent._aux_communicate = requests.execute, requests.communicate
