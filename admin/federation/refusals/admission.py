"""Who may register as what at FLARE's server, beyond the check that a certificate is the authority's."""

from __future__ import annotations

import time
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_context import FLContext
from nvflare.fuel.f3.cellnet.defs import (
    CellChannel,
    IdentityChallengeKey,
    MessageHeaderKey,
    MessagePropKey,
    ReturnCode,
)
from nvflare.fuel.f3.cellnet.utils import make_reply
from nvflare.fuel.f3.message import Message
from nvflare.fuel.hci.conn import Connection
from nvflare.fuel.hci.proto import InternalCommands, MetaStatusValue, make_meta
from nvflare.fuel.hci.server.constants import ConnProps
from nvflare.fuel.hci.server.reg import CommandFilter
from nvflare.lighter.utils import load_crt_chain_bytes
from nvflare.private.defs import CellChannelTopic, CellMessageHeaderKeys, ClientType
from nvflare.private.fed.utils.identity_utils import get_cn_from_cert

QUIET_SECONDS = 60.0  # one line for a connection in this time: who is refused may try for ever
REMEMBERED = 1000  # connections
LONGEST = 80  # characters of a name that a stranger sent
PERSON = "@"  # in the name of every person, in no name of a site or server
PROJECT_ADMIN = "project_admin"
REGISTRATION = (CellChannel.SERVER_MAIN, CellChannelTopic.Register)
NETWORK = "cellnet"  # FLARE's hidden commands about the network, such as ``stress``: it checks no right for them
STUDIES, LIST = "study_mgmt", "list_studies"  # FLARE asks for a role there, org_admin too, and not its policy


class Admission(FLComponent):  # type: ignore[misc]
    """Refuses a person's kit as a site, and any other kit as a person.

    FLARE registers whoever has a certificate of the authority: a member who looks on could train as one more hospital,
    and a hospital's process could log in like a person.
    """

    def __init__(self) -> None:
        super().__init__()
        self._commands_guarded = False
        self._said: dict[str, float] = {}

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Looks at every registration from the start of the server, and at every command once it takes commands."""
        engine = fl_ctx.get_engine()
        if event_type == EventType.SYSTEM_BOOTSTRAP:
            # FLARE applies the filters of the most specific channel and topic only, so this one is for all.
            engine.get_cell().core_cell.add_incoming_request_filter(channel="*", topic="*", cb=self.refusal)
        elif event_type in (EventType.CLIENT_REGISTER_RECEIVED, EventType.CLIENT_HEARTBEAT_RECEIVED):
            self._guard_commands(getattr(engine.server, "admin_server", None))

    def refusal(self, request: Message) -> Message | None:
        """Returns the refusal of a registration; None lets FLARE go on with the request."""
        kind = (request.get_header(MessageHeaderKey.CHANNEL), request.get_header(MessageHeaderKey.TOPIC))
        return self._registration_refused(request) if kind == REGISTRATION else None

    def _registration_refused(self, request: Message) -> Message | None:
        name = str(request.get_header(CellMessageHeaderKeys.CLIENT_NAME))
        as_person = request.get_header(CellMessageHeaderKeys.CLIENT_TYPE) == ClientType.ADMIN
        reason = wrong_name(name, request.payload) or wrong_kind(name, as_person=as_person)
        if not reason:
            return None
        connection = request.get_prop(MessagePropKey.ENDPOINT)
        self._say(f"{connection.name if connection else name} {as_person}", reason)
        return make_reply(ReturnCode.UNAUTHENTICATED, error=reason)

    def _say(self, subject: str, reason: str) -> None:
        """Log one line, unless there was one about the subject within a minute."""
        now = time.monotonic()
        if now - self._said.get(subject, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said = {**self._said, subject: now} if len(self._said) < REMEMBERED else {subject: now}
            self.logger.warning(f"refused a registration: {reason}")

    def _guard_commands(self, admin_server: Any) -> None:
        """Adds our filter of commands, once; FLARE takes commands some moments after it listens."""
        if admin_server is not None and not self._commands_guarded:
            self._commands_guarded = True
            admin_server.cmd_reg.add_filter(CommandGuard(self.logger))


def wrong_name(name: str, registration: object) -> str:
    """Returns that the certificate in a registration is another's; empty if it fits, or if FLARE has to judge it."""
    try:
        owner = get_cn_from_cert(load_crt_chain_bytes(registration[IdentityChallengeKey.CERT])[0])  # type: ignore[index]
    except Exception:  # whatever a stranger may send: FLARE refuses what it cannot read
        return ""
    return "" if owner == name else f"the certificate is that of {owner}, not of {shown(name)}"


def wrong_kind(name: str, *, as_person: bool) -> str:
    """Returns that a person registers as a site or relay, or that anything else logs in; empty if the kind is right."""
    if PERSON in name:
        return "" if as_person else f"{shown(name)} is a person, who cannot be a site"
    return f"{shown(name)} is not a person, so it cannot log in" if as_person else ""


def shown(name: str) -> str:
    """Returns a name that a stranger sent as one short line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST])


class CommandGuard(CommandFilter):  # type: ignore[misc]
    """Lets persons log in only, and the project's admin only use FLARE's commands about the network and about studies.

    Everybody may list studies. This project uses no studies of FLARE.
    """

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self.logger = logger

    def pre_command(self, conn: Connection, args: list[str]) -> bool:
        """Returns whether the command may go on; if not, the answer to it is in ``conn``."""
        if args[0] == InternalCommands.CERT_LOGIN and PERSON not in "".join(args[1:2]):
            self.logger.warning(f"refused a login: {shown(''.join(args[1:2]))} is not a person")
            conn.append_string("REJECT: the certificate is not a person's")
            return False
        entry, role = conn.get_prop(ConnProps.CMD_ENTRY), conn.get_prop(ConnProps.USER_ROLE)
        if entry is not None and role != PROJECT_ADMIN and for_admin(entry.scope.name, entry.name):
            reason = f"{conn.get_prop(ConnProps.USER_NAME)} is not authorized for '{entry.name}'"
            self.logger.warning(f"refused a command: {reason}")
            conn.append_error(f"Authorization Error: {reason}", meta=make_meta(MetaStatusValue.NOT_AUTHORIZED, reason))
            return False
        return True


def for_admin(scope: str, command: str) -> bool:
    """Returns whether a command of FLARE that its policy does not decide is for the project's admin only."""
    return scope == NETWORK or (scope == STUDIES and command != LIST)
