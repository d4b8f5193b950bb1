"""Somebody on the way who poses as the server to a hospital's site."""

from __future__ import annotations

import socket
import ssl
import threading
from functools import partial
from pathlib import Path

from nvflare.fuel.f3.drivers.net_utils import get_ssl_context

from tests.admin.federation.made_certificates import made
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal
from tests.deploy.intruders.strangers import SITE, Maker, of_kit, write_chain

SECONDS = 10.0


def false_servers() -> list[Intruder]:
    """Servers that a site must refuse; the site is FLARE's own TLS client with the files of a kit."""
    makers: list[tuple[str, Maker, str]] = [
        ("self-signed", lambda ground: [made("fl-server")], "self-signed certificate"),
        ("another authority", lambda ground: [made("fl-server", signer=made("clinic"))], "unable to get local issuer"),
        (
            "a hospital's certificate",
            lambda ground: [of_kit(ground, "hospital-lake")],
            "unsuitable certificate purpose",
        ),
        ("a member's certificate", lambda g: [of_kit(g, "member@hospital-lake.org")], "unsuitable certificate purpose"),
    ]
    return [
        Intruder(name=f"server: {name}", attempt=partial(poses, make=make), hears=reason)
        for name, make, reason in makers
    ]


def poses(ground: Ground, *, make: Maker) -> Refusal:
    """Let a site connect to a false server; what is heard is what the site says."""
    files = write_chain(make(ground), ground.folder / "false-server")
    startup = ground.kits / SITE / "startup"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, files), daemon=True)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()[:2], SECONDS) as plain,
                client_context(startup).wrap_socket(plain, server_hostname="localhost") as channel,
            ):
                return Refusal(refused=False, heard=f"connected with {channel.version()}")
        except ssl.SSLError as error:
            return Refusal(refused=True, heard=str(getattr(error, "verify_message", error)))
        finally:
            thread.join(SECONDS)


def client_context(startup: Path) -> ssl.SSLContext:
    """FLARE's TLS settings of a site."""
    names = {"ca_cert": "rootCA.pem", "client_cert": "client.crt", "client_key": "client.key"}
    found: ssl.SSLContext = get_ssl_context(
        {"scheme": "https", **{key: str(startup / name) for key, name in names.items()}}, False
    )
    return found


def serve(listener: socket.socket, files: tuple[Path, Path]) -> None:
    """Accept one connection with a certificate, and ask for none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    try:
        with listener.accept()[0] as plain:
            plain.settimeout(SECONDS)
            context.wrap_socket(plain, server_side=True).close()
    except OSError:  # the site left
        return
