"""Checks of the certificate, the authority's certificate and the private key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from admin.federation.kits.certificate import Certificate
from admin.federation.kits.startup_kit import PERSON, StartupKit
from admin.session.kit_check import REMEDY, WARNING_DAYS
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.kit_finding import ExaminedKit, KitCheck, Look, Place, Unchecked
from fedaid.errors import InputError

NEW_AUTHORITY = "Ask the lead: everybody needs a new kit, made in a new folder. Replace only startup/ in this one."


def dated(test: Callable[[Certificate, ExaminedKit], bool], *, authority: bool = False) -> Look:
    """Return a look that finds those of the kit's certificates, or of the authority's, whose dates fail a test.

    The kit's file may hold authorities between it and the consortium's. They must be valid, too.
    """

    def look(examined: ExaminedKit) -> Iterator[Place]:
        kit = examined.kit
        file = kit.authority_file if authority else kit.certificate_file
        for place, found in enumerate(kit.authorities if authority else kit.chain):
            if test(found, examined):
                whose = f"{found.name}: " if place else ""
                begins, ends, now = (f"{day:%Y-%m-%d %H:%M}" for day in (found.begins, found.ends, examined.now))
                yield examined.place(file, f"{whose}valid from {begins} to {ends} UTC, the clock here says {now}")

    return look


def has_ended(found: Certificate, examined: ExaminedKit) -> bool:
    """Whether the certificate is no longer valid."""
    return found.days_left(examined.now) < 0


def has_not_begun(found: Certificate, examined: ExaminedKit) -> bool:
    """Whether the certificate is not yet valid."""
    return found.begins_in(examined.now) > 0


def ends_soon(found: Certificate, examined: ExaminedKit) -> bool:
    """Whether the certificate ends within 60 days."""
    return 0 <= found.days_left(examined.now) < WARNING_DAYS


def is_unusable(found: Certificate, examined: ExaminedKit) -> bool:
    """Whether the certificate is not valid now."""
    return has_ended(found, examined) or has_not_begun(found, examined)


def unreadable(examined: ExaminedKit) -> Iterator[Place]:
    """Find certificates and keys that cannot be read."""
    kit = examined.kit
    readings: tuple[tuple[str, Callable[[StartupKit], object]], ...] = (
        (kit.certificate_file.name, lambda kit: kit.certificate),
        (kit.authority_file.name, lambda kit: kit.authority),
        (kit.key_file.name, lambda kit: kit.certificate.fits_key(kit.key_file)),
    )
    for name, read in readings:
        try:
            read(kit)
        except (OSError, InputError) as error:
            yield examined.place(kit.startup / name, f"{type(error).__name__}: {error}".replace("\n", " "))


def other_name(examined: ExaminedKit) -> Iterator[Place]:
    """Find a certificate of another participant."""
    kit = examined.kit
    if kit.name and kit.certificate.name != kit.name:
        yield examined.place(kit.certificate_file, f"{kit.certificate.name}, in the kit of {kit.name}")


def self_signed(examined: ExaminedKit) -> Iterator[Place]:
    """Find a certificate that its owner has signed."""
    if examined.kit.certificate.self_signed:
        yield examined.place(examined.kit.certificate_file, f"signed by its own key, {examined.kit.certificate.name}")


def other_signer(examined: ExaminedKit) -> Iterator[Place]:
    """Find a certificate that the authority has not signed, directly or through the authorities in its file."""
    kit, found = examined.kit, examined.kit.certificate
    signed = all(one.signed_by(signer) for one, signer in pairwise(kit.chain))
    signed = signed and any(kit.chain[-1].signed_by(authority) for authority in kit.authorities)
    if not found.self_signed and not signed:
        yield examined.place(
            kit.certificate_file, f"signed by {found.issuer}, not by the key of {kit.authority_file.name}"
        )


def other_role(examined: ExaminedKit) -> Iterator[Place]:
    """Find a person's certificate without a role, and a role in the certificate of a machine."""
    kit, role = examined.kit, examined.kit.certificate.role
    if bool(role) is not (kit.kind == PERSON):
        yield examined.place(kit.certificate_file, f"role {role!r}, of a {kit.kind}")


def other_key(examined: ExaminedKit) -> Iterator[Place]:
    """Find a private key of another certificate."""
    kit = examined.kit
    if not kit.key_file.is_file():
        raise Unchecked("there is no key")
    if not kit.certificate.fits_key(kit.key_file):
        yield examined.place(kit.key_file, f"another key than that of {kit.certificate_file.name}")


def fingerprint(examined: ExaminedKit) -> Iterator[Place]:
    """State whose certificate it is, its end, and its fingerprint."""
    kit, found = examined.kit, examined.kit.certificate
    ends = f"valid to {found.ends:%Y-%m-%d}, {found.days_left(examined.now):.0f} days"
    yield examined.place(kit.certificate_file, f"{found.name}, {ends}, sha256 {found.fingerprint}")


def authorities(examined: ExaminedKit) -> Iterator[Place]:
    """State the authority's name, end and fingerprint."""
    for found in examined.kit.authorities:
        ends = f"valid to {found.ends:%Y-%m-%d}"
        yield examined.place(examined.kit.authority_file, f"{found.name}, {ends}, sha256 {found.fingerprint}")


CERTIFICATE_CHECKS = (
    KitCheck(
        "certificate-unreadable",
        "A certificate or a key cannot be read",
        "Copy the whole kit again.",
        ERROR,
        unreadable,
    ),
    KitCheck("certificate-expired", "The certificate has expired", REMEDY, ERROR, dated(has_ended)),
    KitCheck(
        "certificate-not-yet-valid",
        "The certificate is not yet valid",
        "Set the clock of this machine. If it is right, ask the lead for a new kit.",
        ERROR,
        dated(has_not_begun),
    ),
    KitCheck(
        "certificate-ends-soon", f"The certificate ends within {WARNING_DAYS} days", REMEDY, WARNING, dated(ends_soon)
    ),
    KitCheck("certificate-name", "The certificate is another participant's", REMEDY, ERROR, other_name),
    KitCheck("certificate-self-signed", "The consortium has not signed the certificate", REMEDY, ERROR, self_signed),
    KitCheck("certificate-signer", "Another authority has signed the certificate", REMEDY, ERROR, other_signer),
    KitCheck("certificate-role", "The role in the certificate does not fit the kit", REMEDY, ERROR, other_role),
    KitCheck(
        "authority-not-valid",
        "The authority's certificate is not valid today",
        NEW_AUTHORITY,
        ERROR,
        dated(is_unusable, authority=True),
    ),
    KitCheck(
        "authority-ends-soon",
        f"The authority's certificate ends within {WARNING_DAYS} days",
        NEW_AUTHORITY,
        WARNING,
        dated(ends_soon, authority=True),
    ),
    KitCheck(
        "key-mismatch", "The private key does not fit the certificate", "Copy the whole kit again.", ERROR, other_key
    ),
    KitCheck("certificate", "Certificate", "Compare the fingerprint with the lead's by telephone.", NOTE, fingerprint),
    KitCheck(
        "authority",
        "The consortium's authority, which signed the kit",
        "Compare the fingerprint with the lead's by telephone: with another authority everything in the kit could be "
        "another's.",
        NOTE,
        authorities,
    ),
)
