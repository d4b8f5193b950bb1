"""Read the certificates and keys of a startup kit: names, dates, fingerprint, signer."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from admin.session.kit_check import REMEDY, certificates_in, common_name, first, public_bytes, signed
from fedaid.errors import InputError

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Certificate:
    """A certificate.

    Attributes:
        name: the common name, which FLARE takes as the name of the server, the site or the person.
        organisation: of the owner; empty if the certificate does not state it.
        role: of a person; empty for the server and the sites.
        issuer: common name of the signer.
        hosts: names and addresses under which a server may be reached.
        begins: first moment at which it is valid, in UTC.
        ends: last moment at which it is valid, in UTC.
        fingerprint: sha256 of the certificate, as pairs of hex digits to compare by telephone.
        content: the certificate itself.
    """

    name: str
    organisation: str
    role: str
    issuer: str
    hosts: tuple[str, ...]
    begins: datetime
    ends: datetime
    fingerprint: str
    content: x509.Certificate = field(repr=False)

    def days_left(self, now: datetime | None = None) -> float:
        """Return the days until the certificate ends, negative after it; ``now`` has a time zone."""
        return (self.ends - (now or datetime.now(UTC))).total_seconds() / SECONDS_PER_DAY

    def begins_in(self, now: datetime | None = None) -> float:
        """Return the days until the certificate begins, negative after it; ``now`` has a time zone."""
        return (self.begins - (now or datetime.now(UTC))).total_seconds() / SECONDS_PER_DAY

    @property
    def self_signed(self) -> bool:
        """Whether the certificate's own key signed it."""
        return self.signed_by(self)

    def signed_by(self, authority: Certificate) -> bool:
        """Return whether the authority's key signed this certificate."""
        return signed(self.content, authority.content)

    def fits_key(self, key: Path) -> bool:
        """Return whether the private key in a PEM file belongs to this certificate.

        Raises:
            OSError: the file cannot be read.
            InputError: it is not a private key in PEM format without a password.
        """
        try:
            private = load_pem_private_key(key.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            rule, remedy = "be a private key in PEM format without a password", REMEDY
            raise InputError("key", rule, got=type(error).__name__, where=str(key), remedy=remedy) from None
        return public_bytes(private.public_key()) == public_bytes(self.content.public_key())


def read_certificates(file: Path) -> list[Certificate]:
    """Return the certificates in a PEM file: the owner's, then the authorities between it and the consortium's.

    Raises:
        OSError: the file cannot be read.
        InputError: it holds no certificate in PEM format.
    """
    try:
        return [as_certificate(found) for found in certificates_in(file)]
    except (ValueError, UnsupportedAlgorithm) as error:
        rule, remedy = "be a certificate in PEM format", "Copy the whole kit again, or ask the lead for a new one."
        raise InputError("certificate", rule, got=type(error).__name__, where=str(file), remedy=remedy) from None


def as_certificate(content: x509.Certificate) -> Certificate:
    """Return a parsed certificate with its names and dates."""
    return Certificate(
        name=common_name(content),
        organisation=first(content.subject, NameOID.ORGANIZATION_NAME),
        role=first(content.subject, NameOID.UNSTRUCTURED_NAME),
        issuer=common_name(content, of_issuer=True),
        hosts=host_names(content),
        begins=content.not_valid_before_utc,
        ends=content.not_valid_after_utc,
        fingerprint=":".join(re.findall("..", content.fingerprint(SHA256()).hex().upper())),
        content=content,
    )


def host_names(content: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names and addresses of a certificate's alternative names."""
    try:
        names = content.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return (
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )
