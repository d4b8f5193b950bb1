"""A communicator of FLARE is stopped while it connects; the server answers only then."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from nvflare.fuel.f3.communicator import Communicator
from nvflare.fuel.f3.drivers.driver_params import DriverParams
from nvflare.fuel.f3.endpoint import Endpoint
from nvflare.fuel.f3.sfm.conn_manager import ConnManager, Mode

from admin.session import late_connections
from admin.session.late_connections import close_late_connections

KEY = re.compile(rb"Sec-WebSocket-Key: *(\S+)", re.IGNORECASE)
OF_WEBSOCKETS = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class SlowServer:
    """Takes one connection, and answers its request for a WebSocket when :meth:`answer` is called."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connection: socket.socket | None = None
        self._request = b""

    def wait(self) -> None:
        """Return when a client waits for the answer."""
        self._listener.settimeout(60)
        self._connection, _ = self._listener.accept()
        self._listener.close()
        while b"\r\n\r\n" not in self._request:
            self._request += self._connection.recv(4096)

    def answer(self) -> None:
        found, connection = KEY.search(self._request), self._connection
        assert found is not None
        assert connection is not None
        accept = base64.b64encode(hashlib.sha1(found[1] + OF_WEBSOCKETS, usedforsecurity=False).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def close(self) -> None:
        self._listener.close()
        if self._connection:
            self._connection.close()


@pytest.fixture
def server() -> Iterator[SlowServer]:
    server = SlowServer()
    yield server
    server.close()


def stopped_while_connecting(server: SlowServer) -> threading.Thread:
    """The thread that stops a communicator; the server answers when it has begun to stop."""
    communicator = Communicator(Endpoint("late"))
    params = {DriverParams.SCHEME: "http", DriverParams.HOST: "127.0.0.1", DriverParams.PORT: server.port}
    communicator.add_connector(f"http://127.0.0.1:{server.port}", Mode.ACTIVE, False, params)
    communicator.start()
    server.wait()
    (connector,) = communicator.conn_manager.connectors.values()
    thread = threading.Thread(target=communicator.stop, daemon=True)
    thread.start()
    assert connector.stopped.wait(60)
    thread.join(0.3)
    server.answer()
    return thread


@pytest.fixture
def flares_own(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """FLARE's own way to stop, whatever another test has made of it."""
    own: Callable[..., None] = getattr(ConnManager.stop, "__wrapped__", ConnManager.stop)
    monkeypatch.setattr(ConnManager, "stop", own)
    monkeypatch.setattr(late_connections, "PAUSE", 0.1)
    return own


def test_flare_waits_for_a_connection_that_comes_while_it_stops_and_with_us_it_ends(
    server: SlowServer, flares_own: Callable[..., None]
) -> None:
    thread = stopped_while_connecting(server)
    thread.join(2.0)
    assert thread.is_alive(), "FLARE has mended this: remove late_connections.py"
    server.close()
    thread.join(60)
    assert not thread.is_alive()
    close_late_connections()
    second = SlowServer()
    try:
        thread = stopped_while_connecting(second)
        thread.join(60)
        assert not thread.is_alive()
    finally:
        second.close()


def test_a_second_call_changes_nothing(flares_own: Callable[..., None]) -> None:
    close_late_connections()
    first = ConnManager.stop
    close_late_connections()
    assert ConnManager.stop is first is not flares_own
