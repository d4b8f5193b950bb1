"""A server in a thread that asks for a certificate as FLARE's server does, and answers every request with 404."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from time import time


class TlsServer:
    """``kit`` shows its certificate and trusts its authority; ``ahead`` are the seconds of its clock."""

    def __init__(self, kit: Path, *, ahead: float | None = 0.0) -> None:
        self.ahead = ahead
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(kit / "startup" / "rootCA.pem")
        self.context.load_cert_chain(kit / "startup" / "server.crt", kit / "startup" / "server.key")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self) -> None:
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(5.0)
            with suppress(OSError), plain, self.context.wrap_socket(plain, server_side=True) as connection:
                connection.recv(4096)
                date = "" if self.ahead is None else f"Date: {formatdate(time() + self.ahead, usegmt=True)}\r\n"
                connection.sendall(f"HTTP/1.1 404 Not Found\r\n{date}\r\n".encode())

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10.0)


@contextmanager
def serving(kit: Path, *, ahead: float | None = 0.0) -> Iterator[int]:
    """The port of a server that runs within the block."""
    server = TlsServer(kit, ahead=ahead)
    server.thread.start()
    try:
        yield server.port
    finally:
        server.stop()
