"""The commands of docs/provisioned.md that make a kit whose private key never leaves the hospital, as printed."""

from __future__ import annotations

import argparse
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from nvflare.tool.cert.cert_cli import def_cert_cli_parser, handle_cert_cmd
from nvflare.tool.package.package_cli import def_package_cli_parser, handle_package_cmd

from admin.session.kit_check import read_chain, refusal, warnings

PAGE = Path(__file__).parents[4] / "docs" / "provisioned.md"
PROFILE = {
    "name": "fedaid",
    "scheme": "http",
    "connection_security": "mtls",
    "server": {"host": "fl.consortium.org", "fed_learn_port": 8002, "admin_port": 8002},
}
HOSPITAL = {"name": "fedaid", "participants": [{"name": "hospital-north", "type": "client", "org": "hospital_north"}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the lead and the hospital type the commands, and a home for FLARE's notes."""
    (tmp_path / "profile.yml").write_text(yaml.safe_dump(PROFILE))
    (tmp_path / "hospital-north.yml").write_text(yaml.safe_dump(HOSPITAL))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: str) -> None:
    parser = argparse.ArgumentParser("nvflare")
    commands = parser.add_subparsers(dest="sub_command")
    def_cert_cli_parser(commands)
    def_package_cli_parser(commands)
    options = parser.parse_args(command.split())
    (handle_cert_cmd if options.sub_command == "cert" else handle_package_cmd)(options)


def test_the_key_stays_at_the_hospital_and_the_kit_is_good(folder: Path) -> None:
    commands = re.findall(r"^nvflare ((?:cert|package) [^#\n]*)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(commands) == 4
    for command in commands[:3]:
        run(command)
    root = x509.load_pem_x509_certificate((folder / "ca" / "rootCA.pem").read_bytes())
    run(commands[3].replace("SHA256:...", "SHA256:" + root.fingerprint(SHA256()).hex(":").upper()))
    for archive in (folder / "hospital-north").glob("*.zip"):
        assert not [name for name in zipfile.ZipFile(archive).namelist() if name.endswith(".key")]
    (kit,) = (folder / "workspace" / "fedaid" / "prod_00").iterdir()
    assert (refusal(kit), warnings(kit)) == ("", [])
    certificate = read_chain(kit)[0]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=730)
    assert (kit / "startup" / "client.key").stat().st_mode & 0o077 == 0
