"""Checks of the way to the server: its name, its port, its certificate, its clock, and whether it takes the kit's."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from admin.federation.kits.certificate import Certificate
from admin.federation.kits.startup_kit import PERSON, SERVER, SITE
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.kit_finding import ExaminedKit, KitCheck, Look, Place, Unchecked
from admin.site.kit.server_contact import ACCEPTANCE, HANDSHAKE, NAME, PORT, STEPS

AWAY = (SITE, PERSON)
MOST_SECONDS = 60.0  # between two clocks


def stopped(stage: str) -> Look:
    """Return a look that finds the server's address if the connection stopped at this step."""

    def look(examined: ExaminedKit) -> Iterator[Place]:
        contact = examined.contact
        if STEPS.index(contact.stopped_at) < STEPS.index(stage):
            raise Unchecked(f"no connection to {contact.address}: {contact.fault}")
        if contact.stopped_at == stage:
            yield Place(contact.address, contact.fault)

    return look


def server_certificate(examined: ExaminedKit) -> Certificate:
    """Return the certificate that the server has shown.

    Raises:
        Unchecked: it has shown none.
    """
    contact = examined.contact
    if contact.certificate is None:
        raise Unchecked(f"no connection to {contact.address}: {contact.fault}")
    return contact.certificate


def foreign_server(examined: ExaminedKit) -> Iterator[Place]:
    """Find a server whose certificate the kit's authority has not signed, or that is not valid today."""
    found, address = server_certificate(examined), examined.contact.address
    if not any(found.signed_by(authority) for authority in examined.kit.authorities):
        yield Place(address, f"{found.name}, signed by {found.issuer}, sha256 {found.fingerprint[:23]}")
    elif found.days_left(examined.now) < 0 or found.begins_in(examined.now) > 0:
        yield Place(address, f"{found.name}, valid from {found.begins:%Y-%m-%d} to {found.ends:%Y-%m-%d}")


def other_server(examined: ExaminedKit) -> Iterator[Place]:
    """Find a server of another name, such as another participant's process on that port."""
    found, expected = server_certificate(examined), examined.kit.server_name
    if expected and found.name != expected:
        yield Place(examined.contact.address, f"{found.name}, the kit expects {expected}")


def other_clock(examined: ExaminedKit) -> Iterator[Place]:
    """Find a clock that differs from the server's."""
    server_certificate(examined)
    ahead = examined.contact.clock_ahead
    if ahead is None:
        raise Unchecked("the server's answer has no date")
    if abs(ahead) > MOST_SECONDS:
        yield Place(
            examined.contact.address, f"server {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
        )


def taken_port(examined: ExaminedKit) -> Iterator[Place]:
    """Find another process on the port of a server's own kit."""
    contact, kit = examined.contact, examined.kit
    own = contact.certificate is not None and contact.certificate.fingerprint == kit.certificate.fingerprint
    if contact.stopped_at not in (NAME, PORT) and not own:
        yield Place(
            contact.address, f"another process: {contact.certificate.name if contact.certificate else contact.fault}"
        )


def not_running(examined: ExaminedKit) -> Iterator[Place]:
    """State that nothing listens on the port of a server's own kit."""
    if examined.contact.stopped_at == PORT:
        yield Place(examined.contact.address, examined.contact.fault)


def loopback(examined: ExaminedKit) -> Iterator[Place]:
    """State that the kit connects to its own machine."""
    host, port = examined.kit.address
    try:
        here = ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if here:
        yield examined.place(examined.kit.configuration_file, f"{host}:{port}")


NETWORK_CHECKS = (
    KitCheck(
        "server-name-unknown",
        "The server's name cannot be resolved",
        "Check the name with the lead, and the DNS of this machine (getent hosts NAME).",
        ERROR,
        stopped(NAME),
        AWAY,
    ),
    KitCheck(
        "server-unreachable",
        "The server's port cannot be reached",
        "Ask whether the server runs. Ask your network's administrator for outgoing TCP to this port.",
        ERROR,
        stopped(PORT),
        AWAY,
    ),
    KitCheck(
        "server-tls",
        "What listens on the port does not speak TLS as FLARE does",
        "Check the port with the lead. A proxy must pass TLS through.",
        ERROR,
        stopped(HANDSHAKE),
        AWAY,
    ),
    KitCheck(
        "server-certificate",
        "The server's certificate is not the consortium's",
        "A proxy must not terminate TLS. Compare the fingerprint with the lead's; ask for a new kit.",
        ERROR,
        foreign_server,
        AWAY,
    ),
    KitCheck(
        "server-identity",
        "The server has another name than the kit expects",
        "Check host and port with the lead; ask for a new kit.",
        ERROR,
        other_server,
        AWAY,
    ),
    KitCheck(
        "kit-refused",
        "The server refuses the kit's certificate",
        "Correct what the checks of the certificate name, or ask the lead for a new kit.",
        ERROR,
        stopped(ACCEPTANCE),
        AWAY,
    ),
    KitCheck(
        "clock-skew",
        f"The clocks of server and this machine differ by more than {MOST_SECONDS:.0f} s",
        "Synchronise the clocks (timedatectl set-ntp true), here or at the server.",
        WARNING,
        other_clock,
        AWAY,
    ),
    KitCheck(
        "port-taken",
        "Another process listens on the server's port",
        "End it, or set another port in the project file and make new kits.",
        ERROR,
        taken_port,
        (SERVER,),
    ),
    KitCheck(
        "server-stopped", "The server does not run", "Start it: bash startup/start.sh.", NOTE, not_running, (SERVER,)
    ),
    KitCheck(
        "server-here",
        "The kit connects to this machine",
        "Nothing in a trial. Else the lead corrects the lines marked REAL in the project file.",
        NOTE,
        loopback,
        AWAY,
    ),
)
