"""The certificates that a consortium's authority has issued: which to issue again, and what to tell about each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from admin.federation.kits.certificate import as_certificate
from admin.federation.project_file import Project
from admin.session.kit_check import (
    ROOT,
    WARNING_DAYS,
    certificate_file,
    certificates_in,
    common_name,
    read_chain,
    role_of,
    signed,
)
from fedaid.errors import InputError, closest, require

STATE = Path("state") / "cert.json"
AUTHORITY = "root_cert"
REMEDY = "Make new kits for everybody in a new folder: --out."


@dataclass(frozen=True)
class Issued:
    """One participant's certificate.

    Attributes:
        name: of the participant, or of the authority.
        kind: server, site or authority, or the role of a person.
        organisation: of the participant.
        valid_until: in UTC, as ISO text.
        days_left: whole days until then.
        fingerprint: sha256 of the certificate, in pairs of hex digits to compare by telephone.
        issued: "new", "renewed" or "as before".
    """

    name: str
    kind: str
    organisation: str
    valid_until: str
    days_left: int
    fingerprint: str
    issued: str


def stored_certificates(project_folder: Path) -> dict[str, x509.Certificate]:
    """Return the certificates in FLARE's provisioning state by participant; the authority's is ``root_cert``."""
    file = project_folder / STATE
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    pems = {name: value.get("cert") if isinstance(value, dict) else value for name, value in content.items()}
    return {
        name: x509.load_pem_x509_certificate(pem.encode())
        for name, pem in pems.items()
        if isinstance(pem, str) and "BEGIN CERTIFICATE" in pem
    }


def to_renew(project: Project, stored: Mapping[str, x509.Certificate], *, asked: Sequence[str]) -> list[str]:
    """Return the participants whose stored certificate is to be issued again.

    These are the ones that were asked for, those that end within 60 days, and those that no longer say what the project
    file says: FLARE would put the old certificate into the new kit.

    Raises:
        InputError: a name that was asked for is not in the project file or has no certificate yet, or the authority has
            ended.
    """
    names = [str(person.get("name")) for person in participants(project)]
    for name in asked:
        if name not in names:
            remedy = closest(name, names)
            raise InputError("--renew", "name a participant", got=name, where="the project file", remedy=remedy)
        rule, remedy = (
            "name a participant with a certificate",
            "Give the --out of the earlier kits, or leave --renew out.",
        )
        where = f"the certificates of {project.name} in --out"
        require({AUTHORITY, name} <= stored.keys(), "--renew", rule, got=name, where=where, remedy=remedy)
    root = stored.get(AUTHORITY)
    if root is None:
        return []
    ends = f"{root.not_valid_after_utc:%Y-%m-%d}"
    left = (root.not_valid_after_utc - datetime.now(UTC)).days
    require(left > 0, "authority", "be valid", got=ends, where=f"certificate {common_name(root)}", remedy=REMEDY)
    due = [person for person in participants(project) if outdated(person, stored, root=root)]
    return sorted({*asked, *(str(person["name"]) for person in due)})


def participants(project: Project) -> list[dict[str, Any]]:
    """Return the participants of the project file."""
    return [person for person in project.content["participants"] if isinstance(person, dict)]


def outdated(person: Mapping[str, Any], stored: Mapping[str, x509.Certificate], *, root: x509.Certificate) -> bool:
    """Return whether a stored certificate ends soon, has another signer or says other than the project file.

    With one that does not say what it may be used for, any participant could pose as the server.
    """
    certificate = stored.get(str(person.get("name")))
    if certificate is None:
        return False
    found = as_certificate(certificate)
    soon = found.ends < root.not_valid_after_utc and found.days_left() < WARNING_DAYS
    said = (found.organisation, found.role)
    role = person.get("role") if person.get("type") == "admin" else None
    asked = (str(person.get("org") or ""), str(role or ""))
    server = person.get("type") == "server"
    moved = server and hosts_of(person) != set(found.hosts)
    fit = signed(certificate, root) and is_servers(certificate) == server
    return soon or said != asked or moved or not fit


def is_servers(certificate: x509.Certificate) -> bool | None:
    """Return whether a certificate may be used as a server's; None if it does not say what it may be used for."""
    uses = [use.value for use in certificate.extensions if isinstance(use.value, x509.ExtendedKeyUsage)]
    return ExtendedKeyUsageOID.SERVER_AUTH in uses[0] if uses else None


def hosts_of(server: Mapping[str, Any]) -> set[str]:
    """Return the names under which the project file lets kits connect to the server."""
    more = server.get("host_names") or []
    names = [server.get("default_host") or server.get("name"), *([more] if isinstance(more, str) else more)]
    return {str(name) for name in names}


def listed(kits: Path) -> list[Issued]:
    """Return one line for each kit in a ``prod_NN`` folder, then one for the authority.

    The certificate is compared with the participant's last kit that is still in an earlier folder.
    """
    earlier = [kit for folder in sorted(kits.parent.glob("prod_*"), key=number_of) for kit in kits_in(folder)]
    earlier = [kit for kit in earlier if number_of(kit.parent) < number_of(kits)]
    found = []
    for kit in kits_in(kits):
        before = [read_chain(other)[0] for other in earlier if other.name == kit.name]
        found.append(issued(read_chain(kit)[0], kind=kind_of(kit), before=before[-1] if before else None))
    roots = [certificates_in(kit / "startup" / ROOT)[0] for kit in (*earlier[-1:], kits_in(kits)[0])]
    return [*found, issued(roots[-1], kind="authority", before=roots[0] if earlier else None)]


def kits_in(folder: Path) -> list[Path]:
    """Return the kits that are still in a ``prod_NN`` folder; other files there are not read."""
    whole = [kit for kit in sorted(folder.iterdir()) if (kit / "startup" / ROOT).is_file()]
    return [kit for kit in whole if certificate_file(kit).is_file()]


def number_of(folder: Path) -> int:
    """Return the number of a ``prod_NN`` folder, as FLARE reads it."""
    return int(folder.name.rpartition("_")[2])


def kind_of(kit: Path) -> str:
    """Return server or site, or the role of the person whom the kit is for."""
    configured = {file.name for file in (kit / "startup").glob("fed_*.json")}
    if "fed_admin.json" in configured:
        return role_of(kit)
    return "server" if "fed_server.json" in configured else "site"


def issued(certificate: x509.Certificate, *, kind: str, before: x509.Certificate | None) -> Issued:
    """Return what to tell about a certificate; ``before`` is the participant's earlier one."""
    found = as_certificate(certificate)
    return Issued(
        name=found.name,
        kind=kind,
        organisation=found.organisation,
        valid_until=found.ends.isoformat(),
        days_left=int(found.days_left()),
        fingerprint=found.fingerprint,
        issued="new" if before is None else "as before" if before == certificate else "renewed",
    )
