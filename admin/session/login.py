"""Log in to a FLARE server, always close the session, and report failures in one line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from nvflare.apis.fl_exception import FLCommunicationError
from nvflare.fuel.flare_api.api_spec import (
    AuthenticationError,
    AuthorizationError,
    ClientsStillRunning,
    CommandError,
    InternalError,
    InvalidArgumentError,
    InvalidJobDefinition,
    InvalidTarget,
    JobNotDone,
    JobNotFound,
    JobNotRunning,
    JobTimeout,
    NoClientsAvailable,
    NoConnection,
    NoReply,
    SessionClosed,
    SubmitTokenConflict,
    SubmitTokenJobDeleted,
)
from nvflare.fuel.flare_api.flare_api import Session, new_secure_session

from admin.session.kit_check import certificates_in, common_name, refusal
from admin.session.late_connections import close_late_connections
from fedaid.errors import InputError, require

LOGIN_SECONDS = 10.0
LOST = (NoConnection, SessionClosed, FLCommunicationError)
REFUSED = (
    *(AuthorizationError, ClientsStillRunning, CommandError, InternalError, InvalidArgumentError),
    *(InvalidJobDefinition, InvalidTarget, JobNotDone, JobNotFound, JobNotRunning, JobTimeout),
    *(NoClientsAvailable, NoReply, SubmitTokenConflict, SubmitTokenJobDeleted),
)


@contextmanager
def admin_session(kit: Path, *, username: str | None = None, timeout: float = LOGIN_SECONDS) -> Iterator[Session]:
    """Yield a session for the admin's or lead's startup kit, and close it in every case.

    An open session keeps its threads alive, so the process would not end.

    Args:
        kit: the folder that holds ``startup/fed_admin.json``.
        username: the name to log in with; None reads it from the kit.
        timeout: seconds to try to reach the server.

    Raises:
        InputError: the folder is not an admin's startup kit.
        ConnectionError: the kit's certificate is bad, the server cannot be reached or refuses the login, or the
            connection is lost later.
        RuntimeError: the server refused a request in the ``with`` block.
    """
    user = kit_user(kit) if username is None else username
    if reason := refusal(kit):
        raise ConnectionError(f"cannot log in to {server_address(kit)} as {user}: {reason}")
    close_late_connections()
    try:
        with quiet():
            session = new_secure_session(user, str(kit.resolve()), timeout=timeout, auto_login_max_tries=1)
    except (NoConnection, AuthenticationError, FLCommunicationError, OSError, TimeoutError) as error:
        raise ConnectionError(f"cannot log in to {server_address(kit)} as {user}: {one_line(error)}") from error
    try:
        yield session
    except LOST as error:
        raise ConnectionError(f"lost the connection to {server_address(kit)}: {one_line(error)}") from error
    except REFUSED as error:
        raise RuntimeError(f"the server refused: {one_line(error)}") from error
    finally:
        with quiet():
            session.close()


def one_line(error: Exception) -> str:
    """Return the error's message in one line, or its class name if the message is empty."""
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Discard FLARE's messages about connecting and leaving; stdout may carry JSON."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def kit_user(kit: Path) -> str:
    """Return the user name of an admin kit, from fed_admin.json or else from its certificate's common name."""
    named = admin_settings(kit).get("username")
    if isinstance(named, str) and named:
        return named
    certificate = kit / "startup" / "client.crt"
    require(
        certificate.is_file(),
        "startup kit",
        "hold startup/client.crt",
        got="no such file",
        where=str(kit),
        remedy="Copy the whole kit that the project's admin sent.",
    )
    return common_name(certificates_in(certificate)[0])


def server_address(kit: Path) -> str:
    """Return ``host:port`` of the server that this kit logs in to."""
    settings = admin_settings(kit)
    return f"{settings.get('host')}:{settings.get('port')}"


def admin_settings(kit: Path) -> dict[str, object]:
    """Return the ``admin`` section of the kit's fed_admin.json.

    Raises:
        InputError: the folder is not an admin's startup kit.
    """
    file = kit / "startup" / "fed_admin.json"
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))["admin"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "kit",
            "be an admin's startup kit, with startup/fed_admin.json",
            got=type(error).__name__,
            where=str(kit),
            remedy="Give the folder of the project admin or the lead, such as .../prod_00/lead@consortium.org.",
        ) from error
    return dict(settings)
