"""Faults of the way to the server."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.admin.federation.made_certificates import made
from tests.admin.site.kit.kit_fault import (
    SERVER,
    KitFault,
    in_world,
)
from tests.admin.site.kit.kit_world import World, change, connect_to
from tests.admin.site.kit.tls_server import serving


def served_by(edit: Callable[[World, Path], float | None]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A server with a changed kit; ``edit`` returns by how many seconds its clock is ahead."""

    def plant(world: World) -> None:
        kit = Path(shutil.copytree(world.server, world.kits.parent / "changed-server"))
        port = world.ends.enter_context(serving(kit, ahead=edit(world, kit / "startup") or 0.0))
        connect_to(world.site, port)
        change(
            world.server / "startup" / "fed_server.json",
            lambda found: found["servers"][0]["service"].update(target=f"fl-server:{port}"),
        )

    return in_world(plant)


def foreign_server(world: World, startup: Path) -> None:
    made("fl-server", signer=made("fedaid")).write(startup / "server.crt", startup / "server.key")


def other_server(world: World, startup: Path) -> None:
    made("hospital-lake", signer=world.authority).write(startup / "server.crt", startup / "server.key")


def ended_server(world: World, startup: Path) -> None:
    made("fl-server", signer=world.authority, ends=-0.5).write(startup / "server.crt", startup / "server.key")


def trusting_another(world: World, startup: Path) -> None:
    made("fedaid").write(startup / "rootCA.pem")


def unknown_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def plain_server(world: World) -> None:
    listener = world.ends.enter_context(socket.create_server(("127.0.0.1", 0)))

    def answer() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail server\r\n")
                connection.recv(4096)

    threading.Thread(target=answer, daemon=True).start()
    connect_to(world.site, listener.getsockname()[1])


NETWORK_FAULTS = (
    KitFault("unknown name", "server-name-unknown", unknown_name, "Name or service not known"),
    KitFault("closed port", "server-unreachable", in_world(lambda world: connect_to(world.site, 1)), "127.0.0.1:1: "),
    KitFault("mail server", "server-tls", in_world(plain_server), "wrong version number"),
    KitFault("proxy", "server-certificate", served_by(foreign_server), "signed by fedaid"),
    KitFault("ended certificate of the server", "server-certificate", served_by(ended_server), "valid from"),
    KitFault(
        "another participant", "server-identity", served_by(other_server), "hospital-lake, the kit expects fl-server"
    ),
    KitFault("server of another consortium", "kit-refused", served_by(trusting_another), "127.0.0.1"),
    KitFault("clock an hour ahead", "clock-skew", served_by(lambda world, startup: 3600.0), "ahead of this machine"),
    KitFault("clock two minutes behind", "clock-skew", served_by(lambda world, startup: -120.0), "behind this machine"),
    KitFault("another server on the port", "port-taken", served_by(other_server), "another process", SERVER),
)
