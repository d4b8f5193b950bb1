from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from nvflare.lighter.utils import Identity, generate_cert

from admin.federation.kits.dated_certificates import CLIENT_USES, SERVER_USES
from admin.federation.kits.issued import AUTHORITY, listed, to_renew
from admin.federation.project_file import Project, as_project
from fedaid.errors import InputError
from tests.admin.session.kit_maker import NOW, Authority, authority, write_kit

CONTENT = yaml.safe_load(Path("admin/project.yml").read_text())
SERVER, SITE, LEAD = "fl-server", "hospital-north", "lead@consortium.org"


def project(**changes: Any) -> Project:
    """The project's own file with changes of one participant."""
    people = [one | changes if one["name"] == changes.get("name") else one for one in CONTENT["participants"]]
    return as_project({**CONTENT, "participants": people}, where="project.yml")


Uses = Callable[[bool], list[Any]]


def stated(server: bool) -> list[Any]:
    """The extension of new kits that says what the certificate may be used for."""
    return [(x509.ExtendedKeyUsage(SERVER_USES if server else CLIENT_USES), False)]


def stored(
    root: Authority, *, ends: float = 700, signer: Authority | None = None, uses: Uses = stated
) -> dict[str, x509.Certificate]:
    """What the state has after the project's own file was provisioned; all certificates end at the same day."""
    signer, found = signer or root, {AUTHORITY: root.certificate}
    for one in CONTENT["participants"]:
        owner = Identity(one["name"], one["org"], one.get("role"))
        hosts = {"server_default_host": one.get("default_host"), "server_additional_hosts": one.get("host_names")}
        dates = {"not_valid_before": NOW - timedelta(days=9), "not_valid_after": NOW + timedelta(days=ends)}
        more = {"extra_extensions": uses(one["type"] == "server")}
        found[one["name"]] = generate_cert(
            owner, Identity(root.name), signer.key, signer.key.public_key(), **hosts, **dates, **more
        )
    return found


@pytest.fixture(scope="module")
def root() -> Authority:
    return authority()


def test_good_certificates_stay(root: Authority) -> None:
    assert to_renew(project(), stored(root), asked=[]) == []


def test_the_asked_for_are_renewed(root: Authority) -> None:
    assert to_renew(project(), stored(root), asked=[SITE]) == [SITE]


@pytest.mark.parametrize("lacking", [SITE, AUTHORITY, None])
def test_a_renewal_without_an_earlier_certificate_is_refused(root: Authority, lacking: str | None) -> None:
    certificates = stored(root) if lacking else {}
    certificates.pop(lacking or "", None)
    with pytest.raises(InputError, match=rf"--renew must name a participant with a certificate, got {SITE}"):
        to_renew(project(), certificates, asked=[SITE])
    assert to_renew(project(), {}, asked=[]) == []


def test_kits_that_were_moved_out_and_other_files_do_not_stop_the_list(tmp_path: Path, root: Authority) -> None:
    for number in (8, 9, 100):
        write_kit(tmp_path / f"prod_{number:02}" / SITE, root)
    write_kit(tmp_path / "prod_100" / SERVER, root)
    shutil.copytree(tmp_path / "prod_09" / SITE, tmp_path / "prod_99" / SITE)
    (tmp_path / "prod_10").mkdir()
    for number in ("08", "100"):
        (tmp_path / f"prod_{number}" / "hospital-lake.zip").write_bytes(b"")
    (tmp_path / "prod_99" / "hospital-lake" / "startup").mkdir(parents=True)
    found = {number: [one.issued for one in listed(tmp_path / f"prod_{number}")] for number in ("08", "99", "100")}
    assert found == {"08": ["new"] * 2, "99": ["as before"] * 2, "100": ["new", "renewed", "as before"]}


@pytest.mark.parametrize("ends", [-3, 1, 59])
def test_certificates_that_end_soon_are_issued_again(root: Authority, ends: float) -> None:
    assert len(to_renew(project(), stored(root, ends=ends), asked=[])) == len(CONTENT["participants"])
    assert to_renew(project(), stored(root, ends=61), asked=[]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": SERVER, "default_host": "fl.consortium.org"},
        {"name": SERVER, "host_names": ["localhost"]},
        {"name": SITE, "org": "another_hospital"},
        {"name": LEAD, "role": "member"},
    ],
)
def test_a_certificate_that_differs_from_the_project_file_is_issued_again(
    root: Authority, change: dict[str, Any]
) -> None:
    content = project(**change) if "role" not in change else as_project(with_another_lead(), where="project.yml")
    assert to_renew(content, stored(root), asked=[]) == [change["name"]]


def with_another_lead() -> dict[str, Any]:
    """The project's own file with the lead as a member, and a new lead."""
    people = [one | {"role": "member"} if one["name"] == LEAD else one for one in CONTENT["participants"]]
    new = {"name": "new@consortium.org", "type": "admin", "org": "consortium", "role": "lead"}
    return {**CONTENT, "participants": [*people, new]}


def test_certificates_that_could_pose_as_the_servers_are_issued_again(root: Authority) -> None:
    everybody = sorted(one["name"] for one in CONTENT["participants"])
    assert to_renew(project(), stored(root, uses=lambda server: []), asked=[]) == everybody
    others = [name for name in everybody if name != SERVER]
    assert to_renew(project(), stored(root, uses=lambda server: stated(True)), asked=[]) == others
    assert to_renew(project(), stored(root, uses=lambda server: stated(False)), asked=[]) == [SERVER]


def test_a_certificate_of_another_authority_is_issued_again(root: Authority) -> None:
    found = to_renew(project(), stored(root, signer=authority()), asked=[])
    assert len(found) == len(CONTENT["participants"])


def test_an_authority_that_has_ended_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"authority must be valid, got .*: certificate fedaid"):
        to_renew(project(), stored(authority(days=-1)), asked=[])
