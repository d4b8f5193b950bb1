"""Intruders at the server's TLS port: without a certificate, or with one that the authority did not give.

Each comes from a loopback address of its own, so that the server's line about it cannot be that about another.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.admin.federation.made_certificates import Made, made
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal

SITE = "hospital-north"
SECONDS = 10.0
Maker = Callable[[Ground], list[Made]]
"""Makes a certificate and those of its signers."""


def authority(ground: Ground) -> Made:
    """The consortium's authority with its key, out of the folder of ``provision``."""
    state = json.loads((ground.kits.parent / "state" / "cert.json").read_text())
    key = load_pem_private_key(state["root_pri_key"].encode(), password=None)
    return Made(x509.load_pem_x509_certificate(state["root_cert"].encode()), key)  # type: ignore[arg-type]


def of_kit(ground: Ground, name: str) -> Made:
    """The certificate and key of a participant's kit."""
    startup = ground.kits / name / "startup"
    key = load_pem_private_key((startup / "client.key").read_bytes(), password=None)
    return Made(x509.load_pem_x509_certificate((startup / "client.crt").read_bytes()), key)  # type: ignore[arg-type]


def signed_by_a_site(ground: Ground) -> list[Made]:
    """A certificate that a hospital signed with the key of its own kit."""
    site = of_kit(ground, "hospital-lake")
    return [made(SITE, signer=site), site]


MADE: dict[str, tuple[Maker, str, str]] = {
    "self-signed": (
        lambda ground: [made(SITE)],
        "it is self-signed, not signed by the consortium's authority",
        "its certificate is self-signed",
    ),
    "another authority": (
        lambda ground: [made(SITE, signer=made("clinic"))],
        r"a foreign authority \(clinic\) signed it",
        "its certificate is from a foreign authority",
    ),
    "another authority of the same name": (
        lambda ground: [made(SITE, signer=made("fedaid"))],
        r"a foreign authority \(fedaid\) signed it",
        "its certificate is from a foreign authority",
    ),
    "expired": (
        lambda ground: [made(SITE, signer=authority(ground), begins=-9, ends=-1)],
        "it has expired at",
        "its certificate has expired",
    ),
    "not yet valid": (
        lambda ground: [made(SITE, signer=authority(ground), begins=1)],
        "it is not yet valid, before",
        "its certificate is not yet valid",
    ),
    "signed with a hospital's key": (
        signed_by_a_site,
        "hospital-lake signed it, which is no authority",
        "a participant has signed its certificate",
    ),
}
"""Certificates that are not the authority's or not valid now: the reason at the kit's end, and in the server's log."""


def strangers() -> list[Intruder]:
    """All intruders that do not come past TLS. asyncio closes the connection without an alert, so they hear nothing."""
    bare: list[tuple[str, Callable[[Ground], Refusal], str]] = [
        ("no certificate", partial(handshake, source=20), "it has no certificate"),
        ("no TLS", partial(plain, source=21), "it does not speak TLS .*http request"),
        ("TLS 1.1", partial(handshake, source=22, highest=ssl.TLSVersion.TLSv1_1), "it does not speak TLS .*protocol"),
    ]
    for source, (name, (make, _, reason)) in enumerate(MADE.items(), start=30):
        bare.append((f"certificate: {name}", partial(with_certificate, make=make, source=source), reason))
    return [
        Intruder(name=name, attempt=attempt, hears="closed|eof", logged=line(attempt.keywords["source"], reason))  # type: ignore[attr-defined]
        for name, attempt, reason in bare
    ]


def line(source: int, reason: str) -> str:
    """A pattern of the server's line about an intruder from 127.0.0.source."""
    return rf"refused a connection from 127\.0\.0\.{source}: (?:{reason})"


def with_certificate(ground: Ground, *, make: Maker, source: int) -> Refusal:
    """Knock at the server's port with a certificate."""
    chain = make(ground)
    files = write_chain(chain, ground.folder / f"stranger-{source}")
    return handshake(ground, source=source, files=files)


def write_chain(chain: list[Made], folder: Path) -> tuple[Path, Path]:
    """Write a certificate with its signers, and its key; return the two files."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "client.crt", folder / "client.key"
    pems = []
    for one in reversed(chain):
        one.write(certificate, key)
        pems.insert(0, certificate.read_bytes())
    certificate.write_bytes(b"".join(pems))
    return certificate, key


def handshake(
    ground: Ground,
    *,
    source: int,
    files: tuple[Path, Path] | None = None,
    highest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
) -> Refusal:
    """Open TLS and ask for FLARE's page; the intruder checks nothing itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if highest != ssl.TLSVersion.MAXIMUM_SUPPORTED:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
    if files is not None:
        context.load_cert_chain(*files)
    try:
        with knock(ground, source) as plain, context.wrap_socket(plain) as channel:
            return asked(channel)
    except ssl.SSLError as error:
        return Refusal(refused=True, heard=str(error.reason).lower().replace("_", " "))
    except OSError as error:
        return Refusal(refused=True, heard=f"closed ({type(error).__name__})")


def plain(ground: Ground, *, source: int) -> Refusal:
    """Ask without TLS."""
    try:
        with knock(ground, source) as channel:
            return asked(channel)
    except OSError as error:
        return Refusal(refused=True, heard=f"closed ({type(error).__name__})")


def knock(ground: Ground, source: int) -> socket.socket:
    """Return a connection to the server's port from 127.0.0.source."""
    return socket.create_connection(("127.0.0.1", ground.federation.port), SECONDS, (f"127.0.0.{source}", 0))


def asked(channel: socket.socket) -> Refusal:
    """Return whether the server answers a request."""
    channel.sendall(b"GET /f3 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = channel.recv(100)
    return Refusal(refused=not answer, heard=f"answered {answer!r}" if answer else "closed")
