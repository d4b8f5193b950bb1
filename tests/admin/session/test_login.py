from __future__ import annotations

import datetime
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nvflare.fuel.flare_api.api_spec import AuthorizationError, JobNotFound, NoConnection, SessionClosed

from admin.federation.federation import free_port
from admin.session import login as module
from admin.session.login import admin_session, kit_user, server_address
from fedaid.errors import InputError


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """An admin kit of ``lead@consortium.org`` for a server that does not exist."""
    startup = tmp_path / "renamed-kit" / "startup"
    startup.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lead@consortium.org")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    ).public_bytes(serialization.Encoding.PEM)
    (startup / "client.crt").write_bytes(certificate)
    (startup / "rootCA.pem").write_bytes(certificate)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (startup / "client.key").write_bytes(key.private_bytes(*form))
    settings = {
        "project_name": "fedaid",
        "username": "",
        "server_identity": "server",
        "scheme": "http",
        "host": "localhost",
        "port": free_port(),
        "connection_security": "mtls",
        "uid_source": "cert",
        "upload_dir": "transfer",
        "download_dir": "transfer",
        "client_key": "client.key",
        "client_cert": "client.crt",
        "ca_cert": "rootCA.pem",
    }
    (startup / "fed_admin.json").write_text(json.dumps({"format_version": 1, "admin": settings}))
    (tmp_path / "renamed-kit" / "local").mkdir()
    (tmp_path / "renamed-kit" / "local" / "resources.json.default").write_text('{"format_version": 1, "admin": {}}')
    return tmp_path / "renamed-kit"


def test_the_user_is_who_the_certificate_names_not_the_folder(kit: Path) -> None:
    assert kit_user(kit) == "lead@consortium.org"


def test_a_name_in_the_kits_settings_comes_first(kit: Path) -> None:
    file = kit / "startup" / "fed_admin.json"
    content = json.loads(file.read_text())
    content["admin"]["username"] = "someone@else.org"
    file.write_text(json.dumps(content))
    assert kit_user(kit) == "someone@else.org"


def test_a_server_that_is_not_there_is_one_clear_line(kit: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(ConnectionError, match=r"^cannot log in to localhost:\d+ as lead@consortium.org: .+$"),
        admin_session(kit, timeout=1.0),
    ):
        pytest.fail("logged in to nothing")
    assert capfd.readouterr().out == ""
    assert "localhost" in server_address(kit)


def test_a_site_kit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="kit must be an admin's startup kit"), admin_session(tmp_path):
        pytest.fail("logged in without a kit")


def test_a_kit_without_certificate_is_refused(kit: Path) -> None:
    (kit / "startup" / "client.crt").unlink()
    with pytest.raises(InputError, match=r"startup kit must hold startup/client\.crt"):
        kit_user(kit)


def test_the_session_is_closed_whatever_happens(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    class Fake:
        def __init__(self, user: str, location: str, **rest: object) -> None:
            self.user = user

        def close(self) -> None:
            closed.append(self.user)

    monkeypatch.setattr(module, "new_secure_session", Fake)
    with pytest.raises(ZeroDivisionError), admin_session(kit):
        raise ZeroDivisionError
    assert closed == ["lead@consortium.org"]


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (SessionClosed("closed"), ConnectionError, "lost the connection to localhost:"),
        (NoConnection("gone"), ConnectionError, "lost the connection to localhost:"),
        (JobNotFound("no such job: x"), RuntimeError, "the server refused: no such job: x"),
        (AuthorizationError(), RuntimeError, "the server refused: AuthorizationError"),
        (TimeoutError("9 s"), TimeoutError, "9 s"),
    ],
)
def test_what_the_server_answers_later_is_worded_here(
    error: Exception, kind: type[Exception], said: str, kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "new_secure_session", lambda *_, **__: SimpleNamespace(close=lambda: None))
    with pytest.raises(kind, match=said), admin_session(kit):
        raise error
