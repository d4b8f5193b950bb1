"""Startup kits with certificates of any name, signer and date, made in a moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from nvflare.lighter.utils import Identity, generate_cert, serialize_cert, serialize_pri_key

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Authority:
    """An authority that signs; ``days`` are from now to the end of its own certificate."""

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def authority(name: str = "fedaid", *, days: float = 1825) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    dates = {"not_valid_before": NOW - timedelta(days=400), "not_valid_after": NOW + timedelta(days=days)}
    return Authority(name, key, generate_cert(Identity(name), Identity(name), key, key.public_key(), ca=True, **dates))


def write_kit(
    kit: Path,
    root: Authority,
    *,
    named: str = "",
    signer: Authority | None = None,
    begins: float = -1,
    ends: float = 700,
) -> Path:
    """A kit of the site, server or person that the folder is called after; days are from now.

    Args:
        kit: its name says the kind: ``fl-server``, a name with an @, or a site.
        root: the authority in the kit.
        named: the name in the certificate; the kit's by default.
        signer: the authority that signs; ``root`` by default.
        begins: first day of the certificate.
        ends: last day of the certificate.
    """
    name, signer = named or kit.name, signer or root
    kind = "server" if kit.name == "fl-server" else "client"
    key = ec.generate_private_key(ec.SECP256R1())
    dates = {"not_valid_before": NOW + timedelta(days=begins), "not_valid_after": NOW + timedelta(days=ends)}
    owner = Identity(name, "org", "lead" if "@" in name else None)
    certificate = generate_cert(owner, Identity(signer.name), signer.key, key.public_key(), **dates)
    startup = kit / "startup"
    startup.mkdir(parents=True)
    (startup / f"{kind}.crt").write_bytes(serialize_cert(certificate))
    (startup / f"{kind}.key").write_bytes(serialize_pri_key(key))
    (startup / f"{kind}.key").chmod(0o600)
    (startup / "rootCA.pem").write_bytes(serialize_cert(root.certificate))
    (startup / configuration_of(kit)[0]).write_text(json.dumps(configuration_of(kit)[1]))
    return kit


def configuration_of(kit: Path) -> tuple[str, dict[str, object]]:
    if kit.name == "fl-server":
        return "fed_server.json", {"servers": [{"admin_server": kit.name}]}
    if "@" in kit.name:
        return "fed_admin.json", {"admin": {"username": kit.name, "host": "localhost", "port": 1}}
    return "fed_client.json", {"client": {"fqsn": kit.name}}
