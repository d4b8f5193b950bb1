"""The components about refusals in startup kits: whom they refuse, and what they say about it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_exception import UnsafeComponentError
from nvflare.apis.shareable import Shareable
from nvflare.app_common.widgets.component_path_authorizer import ComponentPathAuthorizer
from nvflare.fuel.f3.cellnet.defs import (
    CellChannel,
    IdentityChallengeKey,
    MessageHeaderKey,
    MessagePropKey,
    ReturnCode,
)
from nvflare.fuel.f3.endpoint import Endpoint
from nvflare.fuel.f3.message import Message
from nvflare.fuel.hci.conn import Connection
from nvflare.fuel.hci.proto import InternalCommands
from nvflare.fuel.hci.server.constants import ConnProps
from nvflare.private.defs import CellChannelTopic, CellMessageHeaderKeys, ClientType
from nvflare.private.fed.server.study_cmds import StudyCommandModule

from admin.federation.refusals.admission import LONGEST, Admission, CommandGuard
from admin.federation.refusals.refused_classes import RefusedClasses
from admin.federation.refusals.refused_handshakes import HANDSHAKE_ENDED, QUIET_SECONDS, RefusedHandshakes
from tests.admin.federation.made_certificates import Made, made

SITE, MEMBER = "hospital-north", "member@hospital-north.org"
LOGGER = logging.getLogger("test")


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> RefusedHandshakes:
    monkeypatch.setattr(SSLProtocol, HANDSHAKE_ENDED, getattr(SSLProtocol, HANDSHAKE_ENDED))  # put back afterwards
    return RefusedHandshakes()


@pytest.fixture
def port(door: RefusedHandshakes, tmp_path: Path) -> Iterator[int]:
    """A server of asyncio with mutual TLS, as FLARE's."""
    root = made("fedaid")
    root.write(tmp_path / "root.pem", tmp_path / "root.key")
    made("fl-server", signer=root).write(tmp_path / "server.crt", tmp_path / "server.key")
    made(SITE, signer=root).write(tmp_path / "good.crt", tmp_path / "good.key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "root.pem")
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    loop = asyncio.new_event_loop()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(greet, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def knock(port: int, folder: Path, shown: Made | None = None, *, files: str = "shown") -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if shown is not None:
        shown.write(folder / "shown.crt", folder / "shown.key")
    if shown is not None or files != "shown":
        context.load_cert_chain(folder / f"{files}.crt", folder / f"{files}.key")
    try:
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as channel:
            return channel.recv(5)
    except OSError:
        return b""


def test_a_refused_certificate_is_one_line_in_the_log_with_address_and_reason(
    port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strangers = {
        "it has no certificate": None,
        "its certificate is self-signed": made(SITE),
        "its certificate is from a foreign authority": made(SITE, signer=made("clinic")),
    }
    for shown in strangers.values():
        assert knock(port, tmp_path, shown) == knock(port, tmp_path, shown) == b""
    assert [r.getMessage() for r in caplog.records if "refused" in r.message] == [
        f"refused a connection from 127.0.0.1: {reason}" for reason in strangers
    ]


def test_a_good_certificate_comes_in_without_a_line(
    port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert knock(port, tmp_path, files="good") == b"hello"
    assert [r for r in caplog.records if "refused" in r.message] == []


def test_a_refusal_is_said_again_after_a_minute(
    door: RefusedHandshakes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for seconds in (0.0, QUIET_SECONDS - 1, 2.0):
        now[0] += seconds
        door.say("10.0.0.1", "it has no certificate")
    assert len(caplog.records) == 2


def test_an_unknown_python_starts_and_says_that_it_logs_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(SSLProtocol, HANDSHAKE_ENDED)
    RefusedHandshakes()
    assert "refused connections are not logged" in caplog.text


def registration(name: str, kind: str, *, owner: str = "") -> Message:
    certificate = made(owner or name).certificate
    from cryptography.hazmat.primitives.serialization import Encoding

    payload = Shareable()
    payload[IdentityChallengeKey.CERT] = certificate.public_bytes(Encoding.PEM)
    headers = {
        MessageHeaderKey.CHANNEL: CellChannel.SERVER_MAIN,
        MessageHeaderKey.TOPIC: CellChannelTopic.Register,
        CellMessageHeaderKeys.CLIENT_NAME: name,
        CellMessageHeaderKeys.CLIENT_TYPE: kind,
    }
    return Message(headers, payload)


@pytest.mark.parametrize(
    ("name", "kind", "owner", "reason"),
    [
        (MEMBER, ClientType.REGULAR, "", f"{MEMBER} is a person, who cannot be a site"),
        (MEMBER, ClientType.RELAY, "", f"{MEMBER} is a person, who cannot be a site"),
        (SITE, ClientType.ADMIN, "", f"{SITE} is not a person, so it cannot log in"),
        (SITE, ClientType.REGULAR, "hospital-lake", f"the certificate is that of hospital-lake, not of {SITE}"),
    ],
)
def test_who_registers_as_something_else_is_refused_with_the_reason_at_both_ends(
    name: str, kind: str, owner: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = Admission().refusal(registration(name, kind, owner=owner))
    assert reply is not None
    assert reply.get_header(MessageHeaderKey.RETURN_CODE) == ReturnCode.UNAUTHENTICATED
    assert reply.get_header(MessageHeaderKey.ERROR) == reason
    assert f"refused a registration: {reason}" in caplog.text


def test_a_name_makes_no_line_of_its_own_and_no_long_one(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission()
    for number in range(100):
        message = registration(f"x{number}\nALARM: {'y' * 9000}", ClientType.REGULAR, owner=SITE)
        message.set_prop(MessagePropKey.ENDPOINT, Endpoint(SITE))
        reply = admission.refusal(message)
        assert reply is not None
        assert len(reply.get_header(MessageHeaderKey.ERROR)) < LONGEST + 80
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"refused a registration: the certificate is that of {SITE}, not of x0?ALARM: y")
    assert "\n" not in line


@pytest.mark.parametrize(("name", "kind"), [(MEMBER, ClientType.ADMIN), (SITE, ClientType.REGULAR)])
def test_who_registers_as_what_the_kit_is_for_goes_on(name: str, kind: str) -> None:
    assert Admission().refusal(registration(name, kind)) is None


def test_a_message_that_cannot_be_read_is_left_to_flare() -> None:
    message = registration(SITE, ClientType.REGULAR)
    message.payload = b"nothing"
    assert Admission().refusal(message) is None


def test_the_door_is_in_place_from_the_start_and_guards_commands_once_there_are_some() -> None:
    filters: list[Any] = []
    guards: list[Any] = []
    cell = SimpleNamespace(add_incoming_request_filter=lambda **given: filters.append(given))
    server = SimpleNamespace(admin_server=None)
    engine = SimpleNamespace(get_cell=lambda: SimpleNamespace(core_cell=cell), server=server)
    context = SimpleNamespace(get_engine=lambda: engine)
    door = Admission()
    door.handle_event(EventType.SYSTEM_BOOTSTRAP, context)
    assert filters == [{"channel": "*", "topic": "*", "cb": door.refusal}]
    door.handle_event(EventType.CLIENT_REGISTER_RECEIVED, context)
    server.admin_server = SimpleNamespace(cmd_reg=SimpleNamespace(add_filter=guards.append))
    for event in (EventType.CLIENT_HEARTBEAT_RECEIVED, EventType.CLIENT_REGISTER_RECEIVED):
        door.handle_event(event, context)
    assert [type(one) for one in guards] == [CommandGuard]


def test_a_refused_class_is_named_although_the_texts_of_exceptions_are_hidden(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise UnsafeComponentError("Component 'os.system' is not in allow_list")

    monkeypatch.setattr(ComponentPathAuthorizer, "authorize_component_config", refuse)
    RefusedClasses()
    with pytest.raises(UnsafeComponentError):
        ComponentPathAuthorizer().authorize_component_config({})
    assert "this machine refuses a class of the job: Component 'os.system' is not in allow_list" in caplog.text


def command(role: str, scope: str = "cellnet", name: str = "stress") -> Connection:
    entry = SimpleNamespace(name=name, scope=SimpleNamespace(name=scope))
    return Connection(props={ConnProps.CMD_ENTRY: entry, ConnProps.USER_ROLE: role, ConnProps.USER_NAME: MEMBER})


def test_commands_about_the_network_are_for_the_projects_admin() -> None:
    guard = CommandGuard(LOGGER)
    for role in ("lead", "org_admin", "member", ""):
        refused = command(role)
        assert not guard.pre_command(refused, ["stress"])
        assert f"{MEMBER} is not authorized for 'stress'" in refused.close()
        assert guard.pre_command(command(role, "training"), ["stress"])
    assert guard.pre_command(command("project_admin"), ["stress"])


def test_commands_about_flares_studies_are_for_the_projects_admin() -> None:
    guard, names = CommandGuard(LOGGER), [spec.name for spec in StudyCommandModule().get_spec().cmd_specs]
    assert len(names) == 8
    for name in names:
        for role in ("lead", "org_admin", "member", ""):
            allowed = guard.pre_command(command(role, StudyCommandModule().get_spec().name, name), [name])
            assert allowed is (name == "list_studies")
        assert guard.pre_command(command("project_admin", "study_mgmt", name), [name])


def test_only_a_person_logs_in() -> None:
    guard, refused = CommandGuard(LOGGER), command("")
    assert not guard.pre_command(refused, [InternalCommands.CERT_LOGIN, SITE])
    assert "REJECT: the certificate is not a person's" in refused.close()
    assert guard.pre_command(command("", "login"), [InternalCommands.CERT_LOGIN, MEMBER])
