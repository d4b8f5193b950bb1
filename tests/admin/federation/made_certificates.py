"""Certificates and keys made in a moment, with any names and dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from nvflare.lighter.utils import x509_name

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    def write(self, certificate: Path, key: Path | None = None) -> None:
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        if key is not None:
            key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
            key.chmod(0o600)


def made(
    name: str,
    *,
    organisation: str | None = None,
    role: str | None = None,
    signer: Made | None = None,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    begins: float = -1,
    ends: float = 360,
    authority: bool = False,
) -> Made:
    """A certificate signed by ``signer``, or by itself; ``begins`` and ``ends`` are in days from now.

    ``key`` is a former key to use again. ``authority`` lets a signed certificate sign others.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509_name(name, organisation, role)
    alternatives = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder(public_key=key.public_key(), serial_number=x509.random_serial_number())
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=ends))
        .add_extension(x509.BasicConstraints(ca=signer is None or authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    )
    return Made(builder.sign(signer.key if signer else key, SHA256()), key)
