"""One connection to a kit's server, with the kit's own certificate, and what came of it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cryptography import x509

from admin.federation.kits.certificate import Certificate, as_certificate
from admin.federation.kits.startup_kit import StartupKit

SECONDS = 5.0  # for each step
NAME, PORT, HANDSHAKE, ACCEPTANCE, DONE = STEPS = ("name", "port", "handshake", "acceptance", "done")
MOST_BYTES = 4096
DATE = b"date:"


@dataclass(frozen=True)
class Contact:
    """What came of a connection.

    Attributes:
        stopped_at: the step that failed, or :data:`DONE`.
        address: host and port, as text.
        fault: why the step failed.
        certificate: of the server; None if the handshake failed.
        clock_ahead: seconds by which the server's clock is ahead of this machine's, to a second; None if not stated.
    """

    stopped_at: str
    address: str
    fault: str = ""
    certificate: Certificate | None = None
    clock_ahead: float | None = None


def reach(kit: StartupKit) -> Contact:
    """Connect to the kit's server, show the kit's certificate, ask for a page that does not exist, and leave.

    Raises:
        InputError: the kit states no address.
        OSError: the kit's certificate or key cannot be read, or they do not fit.
    """
    host, port = kit.address
    address, context = f"{host}:{port}", showing_certificate(kit)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return Contact(NAME, address, reason(error))
    try:
        plain = connected(found)
    except OSError as error:
        return Contact(PORT, address, reason(error))
    with plain:
        try:
            secured = context.wrap_socket(plain, server_hostname=host)
        except (OSError, ValueError) as error:
            return Contact(HANDSHAKE, address, reason(error))
        with secured:
            return asked(secured, host=host, address=address)


def connected(found: Sequence[tuple[Any, ...]]) -> socket.socket:
    """Return a connection to the first of the addresses that answers."""
    fault = OSError("no address")
    for _, _, _, _, place in found:
        try:
            return socket.create_connection(place[:2], timeout=SECONDS)
        except OSError as error:
            fault = error
    raise fault


def showing_certificate(kit: StartupKit) -> ssl.SSLContext:
    """Return the settings of a connection that shows the kit's certificate.

    The server's certificate is not refused here: a check names what is wrong with it. Nothing of the kit is sent.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False  # as FLARE does; it compares the certificate's name
    context.verify_mode = ssl.CERT_NONE
    context.load_cert_chain(kit.certificate_file, kit.key_file, password="")  # an empty password: never ask
    return context


def asked(connection: ssl.SSLSocket, *, host: str, address: str) -> Contact:
    """Return the contact after a request; in TLS 1.3 a server refuses a certificate only after the handshake."""
    given = connection.getpeercert(binary_form=True)
    certificate = as_certificate(x509.load_der_x509_certificate(given)) if given else None
    try:
        before = datetime.now(UTC)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace"))
        answer = connection.recv(MOST_BYTES)
        middle = before + (datetime.now(UTC) - before) / 2
    except TimeoutError:  # a server that is silent has accepted the certificate, and speaks no HTTP
        return Contact(DONE, address, certificate=certificate)
    except OSError as error:
        return Contact(ACCEPTANCE, address, reason(error), certificate)
    if not answer:
        return Contact(ACCEPTANCE, address, "the server closed the connection", certificate)
    return Contact(DONE, address, certificate=certificate, clock_ahead=clock_ahead(answer, middle))


def clock_ahead(answer: bytes, now: datetime) -> float | None:
    """Return how many seconds the date in an HTTP answer is ahead of ``now``; None if it has none."""
    stated = [line[len(DATE) :].strip() for line in answer.split(b"\r\n") if line.lower().startswith(DATE)]
    try:
        return (parsedate_to_datetime(stated[0].decode("ascii")) - now).total_seconds() if stated else None
    except (ValueError, TypeError):
        return None


def reason(error: Exception) -> str:
    """Return the system's reason of a failed connection, in a few words."""
    if isinstance(error, (ssl.SSLEOFError, ConnectionResetError)):
        return "the server closed the connection"
    if isinstance(error, ssl.SSLError) and error.reason:
        return str(error.reason).replace("_", " ").lower()
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
