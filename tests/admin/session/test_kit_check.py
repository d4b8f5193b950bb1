from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from nvflare.lighter.utils import Identity, generate_cert, serialize_cert, serialize_pri_key

from admin.session import kit_check
from admin.session.kit_check import refusal, warnings
from admin.session.login import admin_session
from tests.admin.session.kit_maker import Authority, authority, write_kit

LEAD = "lead@consortium.org"


@pytest.fixture(scope="module")
def root() -> Authority:
    return authority()


@pytest.mark.parametrize("name", ["fl-server", "hospital-north", LEAD])
def test_a_good_kit_of_server_site_or_person_has_nothing_to_report(tmp_path: Path, root: Authority, name: str) -> None:
    kit = write_kit(tmp_path / name, root)
    assert (refusal(kit), warnings(kit)) == ("", [])


@pytest.mark.parametrize("name", ["fl-server", "hospital-north", LEAD])
@pytest.mark.parametrize(
    ("begins", "ends", "reason"), [(-30, -1, "it has expired at"), (2, 30, "it is not yet valid, before")]
)
def test_a_kit_outside_its_dates_is_refused_by_name(
    tmp_path: Path, root: Authority, name: str, begins: int, ends: int, reason: str
) -> None:
    found = refusal(write_kit(tmp_path / name, root, begins=begins, ends=ends))
    assert found.startswith(f"the certificate of {name} cannot be used: {reason}")


def test_a_kit_that_another_authority_signed_is_refused(tmp_path: Path, root: Authority) -> None:
    for stranger in (authority("elsewhere"), authority(root.name)):
        kit = write_kit(tmp_path / str(stranger.certificate.serial_number) / "site", root, signer=stranger)
        assert f"a foreign authority ({stranger.name}) signed it" in refusal(kit)


def test_a_certificate_that_another_participant_signed_is_refused(tmp_path: Path, root: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    lake = generate_cert(Identity("hospital-lake"), Identity(root.name), root.key, key.public_key())
    signer = Authority("hospital-lake", key, lake)
    kit = write_kit(tmp_path / "hospital-north", root, signer=signer)
    with (kit / "startup" / "client.crt").open("ab") as file:
        file.write(serialize_cert(lake))
    assert "hospital-lake signed it, which is no authority" in refusal(kit)


def test_a_self_signed_certificate_is_refused(tmp_path: Path, root: Authority) -> None:
    own = authority("hospital-north")
    kit = write_kit(tmp_path / "hospital-north", root)
    (kit / "startup" / "client.crt").write_bytes(serialize_cert(own.certificate))
    (kit / "startup" / "client.key").write_bytes(serialize_pri_key(own.key))
    assert "it is self-signed" in refusal(kit)


def test_the_kit_of_another_participant_is_refused(tmp_path: Path, root: Authority) -> None:
    assert "the kit is for hospital-lake" in refusal(
        write_kit(tmp_path / "hospital-lake", root, named="hospital-north")
    )
    assert f"the kit is for {LEAD}" in refusal(write_kit(tmp_path / LEAD, root, named="hospital-north"))


def test_an_authority_that_has_ended_is_refused(tmp_path: Path) -> None:
    found = refusal(write_kit(tmp_path / "site", authority(days=-1), ends=100))
    assert "the authority fedaid has expired at" in found


def test_another_key_and_damaged_files_are_refused(tmp_path: Path, root: Authority) -> None:
    kit, other = write_kit(tmp_path / "north", root), write_kit(tmp_path / "lake", root)
    key = kit / "startup" / "client.key"
    key.write_bytes((other / "startup" / "client.key").read_bytes())
    assert "its private key belongs to another certificate" in refusal(kit)
    for content in (b"", b"not a key"):
        key.write_bytes(content)
        assert "cannot be read (ValueError)" in refusal(kit)
    key.unlink()
    assert "cannot be read (FileNotFoundError)" in refusal(kit)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("fl-server", '{"servers": []}'),
        ("fl-server", '{"servers": [7]}'),
        ("hospital-north", '{"format_version": 2'),
        ("hospital-north", '{"format_version": 2}'),
        ("hospital-north", "[1]"),
        (LEAD, '{"admin": null}'),
        (LEAD, None),
    ],
)
def test_a_damaged_configuration_is_refused_in_one_line(
    tmp_path: Path, root: Authority, name: str, content: str | None
) -> None:
    kit = write_kit(tmp_path / name, root)
    (file,) = (kit / "startup").glob("fed_*.json")
    file.unlink() if content is None else file.write_text(content)
    assert f"the files of {name} cannot be read (" in refusal(kit)
    assert kit_check.main(kit) == 1
    assert "cannot be read" in (kit / "log.txt").read_text()


def test_the_line_of_the_page_on_launchers_checks_a_kit(tmp_path: Path, root: Authority) -> None:
    (line,) = re.findall(r"^ *(PYTHONPATH=startup python3 .*)$", Path("docs/launchers.md").read_text(), re.MULTILINE)
    bad = write_kit(tmp_path / "bad" / "site", root, begins=-9, ends=-2)
    good = write_kit(tmp_path / "good" / "site", root)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for kit, exit_code, said in ((bad, 1, "has expired at"), (good, 0, "")):
        (kit / "startup" / "kit_check.py").write_bytes(Path(kit_check.__file__).read_bytes())
        done = subprocess.run(
            ["bash", "-c", line], cwd=kit, env={"PATH": path}, capture_output=True, text=True, check=False
        )
        assert (done.returncode, said in done.stderr) == (exit_code, True)


def test_an_end_within_sixty_days_is_announced(tmp_path: Path, root: Authority) -> None:
    assert warnings(write_kit(tmp_path / "late", root, ends=61)) == []
    (found,) = warnings(write_kit(tmp_path / "soon", root, ends=59))
    assert found.startswith("the certificate of soon ends at 20")
    assert found.endswith("Replace only startup/ in this one.")
    (found,) = warnings(write_kit(tmp_path / "old", authority(days=59)))
    assert found.startswith("the certificate of fedaid ends at 20")


def test_a_key_that_others_can_read_is_announced(tmp_path: Path, root: Authority) -> None:
    kit = write_kit(tmp_path / LEAD, root)
    key = kit / "startup" / "client.key"
    key.chmod(0o640)
    assert warnings(kit) == [f"others on this machine can read the private key: chmod 600 {key}"]


def test_the_certificate_of_a_site_in_a_persons_kit_is_announced(tmp_path: Path, root: Authority) -> None:
    kit = write_kit(tmp_path / "site", root)
    (kit / "startup" / "fed_client.json").unlink()
    (kit / "startup" / "fed_admin.json").write_text(json.dumps({"admin": {"username": "site"}}))
    (found,) = warnings(kit)
    assert found.startswith("the certificate of site states no role")


def test_the_copy_in_a_kit_runs_alone_and_writes_the_reason_to_the_log(tmp_path: Path, root: Authority) -> None:
    bad = write_kit(tmp_path / "expired", root, begins=-9, ends=-2)
    soon = write_kit(tmp_path / "soon", root, ends=9)
    (tmp_path / "kit_check.py").write_bytes(Path(kit_check.__file__).read_bytes())
    code = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import kit_check"
    code += "; sys.exit(kit_check.main(pathlib.Path(sys.argv[2])))"
    for kit, exit_code, word in ((bad, 1, "has expired at"), (soon, 0, "ends at")):
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, tmp_path, kit], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (exit_code, "")
        (line,) = done.stderr.splitlines()
        assert word in line
        assert (kit / "log.txt").read_text().endswith(f" - kit_check - {line}\n")


def test_a_servers_job_store_lies_in_its_kit_unless_the_owner_chose_another(tmp_path: Path, root: Authority) -> None:
    kit = write_kit(tmp_path / 'of "us"' / "fl-server", root)
    local = kit / "local"
    local.mkdir()
    (local / "resources.json.default").write_text('{"uri_root": "/tmp/nvflare/jobs-storage"}')
    assert kit_check.main(kit) == 0
    assert json.loads((local / "resources.json").read_text()) == {"uri_root": f"{kit}/storage/jobs-storage"}
    (local / "resources.json").write_text('{"uri_root": "/srv/jobs-storage"}')
    assert kit_check.main(kit) == 0
    assert (local / "resources.json").read_text() == '{"uri_root": "/srv/jobs-storage"}'


def test_a_store_that_all_servers_share_is_announced(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "resources.json").write_text('{"uri_root": "/tmp/nvflare/jobs-storage"}')
    (found,) = kit_check.own_store(tmp_path)
    assert "which all servers of this machine share" in found


def test_a_bad_kit_of_the_lead_is_refused_before_a_connection_is_tried(tmp_path: Path, root: Authority) -> None:
    kit = write_kit(tmp_path / LEAD, root, begins=-9, ends=-2)
    with pytest.raises(ConnectionError, match=f"as {LEAD}: the certificate of {LEAD} cannot be used: it has expired"):  # noqa: SIM117
        with admin_session(kit):
            pass
