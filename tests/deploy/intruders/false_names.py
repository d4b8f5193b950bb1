"""Participants whose own certificate is good, and who claim to be, or to be allowed to do, something else.

Their own checks are out of the way: FLARE's session is opened directly.
"""

from __future__ import annotations

import base64
import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nvflare.fuel.flare_api.flare_api import Session, new_secure_session
from nvflare.fuel.hci.client import api
from nvflare.private.defs import ClientType
from nvflare.private.fed.utils.identity_utils import IdentityAsserter

from tests.deploy.intruders.false_kits import copied
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal

LEAD, MEMBER = "lead@consortium.org", "member@hospital-lake.org"
LAKE, NORTH = "hospital-lake", "hospital-north"
LOGIN_SECONDS = 4.0


def false_names() -> list[Intruder]:
    """All participants who claim too much."""
    names = [
        ("a site under another site's name", LAKE, NORTH, ClientType.REGULAR, f"is that of {LAKE}, not of {NORTH}"),
        ("a person as a site", MEMBER, MEMBER, ClientType.REGULAR, f"{MEMBER} is a person, who cannot be a site"),
        ("a person under a site's name", MEMBER, NORTH, ClientType.REGULAR, f"is that of {MEMBER}, not of {NORTH}"),
        ("a person as a relay", MEMBER, MEMBER, ClientType.RELAY, f"{MEMBER} is a person, who cannot be a site"),
        ("a site as a person", LAKE, LAKE, ClientType.ADMIN, f"{LAKE} is not a person, so it cannot log in"),
        ("a site under the lead's name", LAKE, LEAD, ClientType.ADMIN, f"is that of {LAKE}, not of {LEAD}"),
        ("a member under the lead's name", MEMBER, LEAD, ClientType.ADMIN, f"is that of {MEMBER}, not of {LEAD}"),
    ]
    found = [
        Intruder(
            name=name,
            attempt=partial(registers, owner=owner, claimed=claimed, kind=kind),
            hears=reason,
            logged=f"refused a registration: .*{reason}",
        )
        for name, owner, claimed, kind, reason in names
    ]
    denied, inactive = f"'{MEMBER}' is not authorized for 'shutdown'", "session_inactive|not authenticated"
    return [
        *found,
        Intruder(
            name="a site with another site's certificate and the own key",
            attempt=wrong_signature,
            hears="no registration session|cannot authenticate",
            logged="failed to verify client identity: .*InvalidCNSignature",
        ),
        Intruder(name="a member who writes a role into the login", attempt=role_in_login, hears=denied),
        Intruder(name="a member who writes a role into the session's token", attempt=role_in_token, hears=inactive),
    ]


@contextmanager
def opened(kit: Path, name: str, *, kind: str = ClientType.ADMIN) -> Iterator[Session]:
    """A session of FLARE that registers as a participant of a kind; no check of ours runs before it."""
    settings = json.loads((file := kit / "startup" / "fed_admin.json").read_text())
    settings["admin"]["username"] = name
    file.write_text(json.dumps(settings))
    with silent(), patch.object(api.ClientType, "ADMIN", kind):
        session = new_secure_session(name, str(kit), timeout=LOGIN_SECONDS, auto_login_max_tries=1)
    try:
        yield session
    finally:
        with silent():
            session.close()


@contextmanager
def silent() -> Iterator[None]:
    """Discard what FLARE prints."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


class Heard(logging.Handler):
    """Keeps what FLARE's client logs: it gives a reason there only."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


def with_certificate_of(ground: Ground, owner: str) -> Path:
    """A kit of a person with the certificate and key of any participant."""
    kit = copied(ground, LEAD, f"claims-{owner}")
    for name in ("client.crt", "client.key"):
        shutil.copyfile(ground.kits / owner / "startup" / name, kit / "startup" / name)
    return kit


def registers(ground: Ground, *, owner: str, claimed: str, kind: str) -> Refusal:
    """Register under a name, as a kind of participant, and log in."""
    heard = Heard()
    logging.getLogger().addHandler(heard)
    try:
        with opened(with_certificate_of(ground, owner), claimed, kind=kind):
            return Refusal(refused=False, heard="registered and logged in")
    except Exception as error:  # of any kind: FLARE's client has many
        return Refusal(refused=True, heard=" | ".join([*heard.lines, f"{type(error).__name__}: {error}"]))
    finally:
        logging.getLogger().removeHandler(heard)


def wrong_signature(ground: Ground) -> Refusal:
    """Register as another site with that site's certificate, which is no secret, signing with the own key."""
    theirs = (ground.kits / NORTH / "startup" / "client.crt").read_bytes()

    class Thief(IdentityAsserter):  # type: ignore[misc]
        """States another's certificate and name."""

        def __init__(self, **files: str) -> None:
            super().__init__(**files)
            self.cert_data, self.cn = theirs, NORTH

    with patch("nvflare.private.fed.authenticator.IdentityAsserter", Thief):
        return registers(ground, owner=LAKE, claimed=NORTH, kind=ClientType.REGULAR)


def shuts_down(session: Session) -> Refusal:
    """Try to stop the server."""
    answer: dict[str, Any] = session.api.server_execute("shutdown server")
    return Refusal(refused="not authorized" in str(answer) or "inactive" in str(answer).lower(), heard=str(answer))


def role_in_login(ground: Ground) -> Refusal:
    """Log in as a member who states to be the project's admin."""
    execute = api.AdminAPI.server_execute

    def upgraded(self: Any, command: str, *given: Any, headers: Any = None, **more: Any) -> Any:
        headers = headers and {**headers, "role": "project_admin", "user_role": "project_admin", "org": "consortium"}
        return execute(self, command, *given, headers=headers, **more)

    kit = with_certificate_of(ground, MEMBER)
    with patch.object(api.AdminAPI, "server_execute", upgraded), opened(kit, MEMBER) as session:
        return shuts_down(session)


def role_in_token(ground: Ground) -> Refusal:
    """Log in as a member, and change the role in the token that the server signed."""
    with opened(with_certificate_of(ground, MEMBER), MEMBER) as session:
        text, _, signature = session.api.token.partition(":")
        user = json.loads(base64.b64decode(text)) | {"r": "project_admin", "s": "another"}
        session.api.token = f"{base64.b64encode(json.dumps(user).encode()).decode()}:{signature}"
        return shuts_down(session)
