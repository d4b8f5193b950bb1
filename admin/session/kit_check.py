"""Check the certificate of a startup kit before it connects: signer, dates, name, key. No network.

The server closes the connection of a bad certificate without a reason, so the kit's own machine has to name it.
``provision`` copies this file into the kits of server and sites, as ``startup/kit_check.py``; their start script runs
it. So it imports nothing of this project. Commands that log in use it for the lead's and the admin's kit.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID, ObjectIdentifier

WARNING_DAYS = 60  # before the end of a certificate
ROOT = "rootCA.pem"
PROJECT_ADMIN = "project_admin"  # FLARE's word for the role that may do everything
SHARED_STORE = "/tmp/nvflare"  # noqa: S108 - FLARE's default, which is replaced
OWN_STORE = "storage"  # in a server's kit
REMEDY = "Ask the lead for a new kit. Replace only startup/ in this one."  # the rest has policy, budget and runs
CONFIGURATIONS = ("fed_server.json", "fed_client.json", "fed_admin.json")


def refusal(kit: Path, *, now: datetime | None = None) -> str:
    """Return in one line why the server will refuse this kit; empty if its certificate is good.

    Args:
        kit: the folder that holds ``startup``.
        now: a time with a time zone; None takes the clock of this machine.
    """
    try:
        chain, roots, expected = read_chain(kit), certificates_in(kit / "startup" / ROOT), expected_name(kit)
        key = load_pem_private_key(certificate_file(kit).with_suffix(".key").read_bytes(), password=None)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, UnsupportedAlgorithm) as error:
        return f"the files of {kit.name} cannot be read ({type(error).__name__}): {kit / 'startup'}. {REMEDY}"
    reason = (
        wrong_signer(chain, roots)
        or wrong_dates([*chain, *roots], now=now or datetime.now(UTC))
        or wrong_name(chain[0], expected)
    )
    if not reason and public_bytes(key.public_key()) != public_bytes(chain[0].public_key()):
        reason = f"its private key belongs to another certificate. {REMEDY}"
    return reason and f"the certificate of {common_name(chain[0])} cannot be used: {reason}"


def wrong_signer(chain: list[x509.Certificate], roots: list[x509.Certificate]) -> str:
    """Return why the certificate does not come from the authority of the kit; empty if it does."""
    for certificate, signer in pairwise(chain):
        if not signed(certificate, signer):
            return f"its chain is broken: {common_name(signer)} did not sign it. {REMEDY}"
        if not is_authority(signer):
            return f"{common_name(signer)} signed it, which is no authority. {REMEDY}"
    if any(signed(chain[-1], root) for root in roots):
        return ""
    if signed(chain[-1], chain[-1]):
        return f"it is self-signed, not signed by the consortium's authority. {REMEDY}"
    stranger = common_name(chain[-1], of_issuer=True)
    return f"a foreign authority ({stranger}) signed it, not the one in {ROOT}. {REMEDY}"


def wrong_dates(certificates: list[x509.Certificate], *, now: datetime) -> str:
    """Return which certificate of the chain has expired or is not yet valid; empty if all are valid now."""
    for place, certificate in enumerate(certificates):
        what = "it" if place == 0 else f"the authority {common_name(certificate)}"
        if certificate.not_valid_after_utc < now:
            return f"{what} has expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC. {REMEDY}"
        if certificate.not_valid_before_utc > now:
            begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            return f"{what} is not yet valid, before {begins}. Check the clock of this machine."
    return ""


def wrong_name(certificate: x509.Certificate, expected: str) -> str:
    """Return why the certificate is another participant's; empty if it is the one that the kit expects."""
    return f"the kit is for {expected}. {REMEDY}" if expected and common_name(certificate) != expected else ""


def warnings(kit: Path, *, now: datetime | None = None) -> list[str]:
    """Return what should be mended: an end within 60 days, a key that others can read, a person without a role.

    A kit that is refused has no warnings.
    """
    if refusal(kit, now=now):
        return []
    chain, roots = read_chain(kit), certificates_in(kit / "startup" / ROOT)
    soon = (now or datetime.now(UTC)) + timedelta(days=WARNING_DAYS)
    found = [
        f"the certificate of {common_name(one)} ends at {one.not_valid_after_utc:%Y-%m-%d %H:%M} UTC. {REMEDY}"
        for one in (*chain, *roots)
        if one.not_valid_after_utc < soon
    ]
    key = certificate_file(kit).with_suffix(".key")
    if key.stat().st_mode & 0o077:
        found.append(f"others on this machine can read the private key: chmod 600 {key}")
    if (kit / "startup" / CONFIGURATIONS[2]).is_file() and not role_of(kit):
        found.append(
            f"the certificate of {common_name(chain[0])} states no role, so the server allows nothing. {REMEDY}"
        )
    return found


def expected_name(kit: Path) -> str:
    """Return the name of the server, site or person in the kit's configuration; empty if it states none.

    Raises:
        OSError, ValueError, LookupError, TypeError or AttributeError: the configuration is missing or damaged.
    """
    files = [kit / "startup" / name for name in CONFIGURATIONS]
    server, site, person = (json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {} for file in files)
    if server:
        return str(server["servers"][0].get("admin_server", ""))
    return str(site["client"].get("fqsn", "")).split(".")[-1] if site else str(person["admin"].get("username", ""))


def role_of(kit: Path) -> str:
    """Return the role in the kit's certificate; empty for a server or a site."""
    return first(read_chain(kit)[0].subject, NameOID.UNSTRUCTURED_NAME)


def certificate_file(kit: Path) -> Path:
    """Return the certificate of the server or of the client, whichever the kit is for."""
    server = (kit / "startup" / CONFIGURATIONS[0]).is_file()
    return kit / "startup" / ("server.crt" if server else "client.crt")


def read_chain(kit: Path) -> list[x509.Certificate]:
    """Return the kit's certificate, followed by the intermediate authorities in its file."""
    return certificates_in(certificate_file(kit))


def certificates_in(file: Path) -> list[x509.Certificate]:
    """Return the certificates in a PEM file; raises OSError, ValueError or UnsupportedAlgorithm."""
    return x509.load_pem_x509_certificates(file.read_bytes())


def signed(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    """Return whether the signer's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether the certificate's owner may sign others."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def common_name(certificate: x509.Certificate, *, of_issuer: bool = False) -> str:
    """Return the common name of the certificate's owner, or of its signer."""
    return first(certificate.issuer if of_issuer else certificate.subject, NameOID.COMMON_NAME)


def first(name: x509.Name, attribute: ObjectIdentifier) -> str:
    """Return the first value of an attribute; empty if the name has none."""
    found = name.get_attributes_for_oid(attribute)
    return str(found[0].value) if found else ""


def public_bytes(key: Any) -> bytes:
    """Return a public key as bytes that can be compared."""
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def own_store(kit: Path) -> list[str]:
    """Give a server's kit without ``local/resources.json`` a job store in the kit; return what is wrong with another.

    FLARE's default is a folder below the system's temporary one. All servers of a machine share it.
    """
    file = kit / "local" / "resources.json"
    default = file.with_name("resources.json.default")
    if not file.exists() and default.is_file() and SHARED_STORE in (text := default.read_text(encoding="utf-8")):
        inside = json.dumps(str(kit / OWN_STORE))[1:-1]
        file.write_text(text.replace(SHARED_STORE, inside), encoding="utf-8")
    if file.is_file() and SHARED_STORE in file.read_text(encoding="utf-8"):
        return [f"the job store is in {SHARED_STORE}, which all servers of this machine share: change it in {file}"]
    return []


def main(kit: Path) -> int:
    """Print the refusal or the warnings, add them to the kit's log, and return 1 for a refusal."""
    problem = refusal(kit)
    found = [] if problem else [*warnings(kit), *own_store(kit)]
    lines = [f"ERROR - {problem}"] if problem else [f"WARNING - {line}" for line in found]
    with (kit / "log.txt").open("a", encoding="utf-8") as log:
        for line in lines:
            print(line, file=sys.stderr, flush=True)
            log.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} - kit_check - {line}\n")
    return 1 if problem else 0
