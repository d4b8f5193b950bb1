"""A session that logs in again after the connection was lost, as after a restart of the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from nvflare.fuel.flare_api.api_spec import AuthenticationError
from nvflare.fuel.flare_api.flare_api import Session

from admin.session import login
from admin.session.login import LOST, REFUSED, one_line, server_address

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds between two logins
PATIENCE = 600.0  # seconds without a connection
GONE = (ConnectionError, AuthenticationError, *LOST)  # a restarted server does not know the session
ONCE = "submit_job"  # a job may have arrived although the answer did not

Say = Callable[[str], None]


class LastingSession:
    """Has the methods of FLARE's session. Each request is repeated after a new login if the connection was lost.

    Args:
        kit: startup kit of the lead or the project admin.
        patience: seconds to try to log in again.
        say: gets one line when the connection is lost, and one when it is there again.
    """

    def __init__(self, kit: Path, *, patience: float, say: Say) -> None:
        self.kit, self.patience, self.say = kit, patience, say
        logging.getLogger().addHandler(logging.NullHandler())  # else FLARE's own lines go to standard error too
        self._leave = ExitStack()
        self._session: Session = self._leave.enter_context(login.admin_session(kit))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def request(*words: Any, **more: Any) -> Any:
            try:
                return getattr(self._session, name)(*words, **more)
            except GONE as error:
                self.log_in_again(error)
                if name == ONCE:
                    raise ConnectionError(
                        "lost the connection during submission: nvflare job list shows the job"
                    ) from error
            return request(*words, **more)

        return request

    def log_in_again(self, error: Exception) -> None:
        """Log in with longer and longer pauses.

        Raises:
            ConnectionError: the patience is over.
        """
        where, lost = server_address(self.kit), time.monotonic()
        self.say(f"lost the connection to {where}: {one_line(error)}; trying again for {self.patience:.0f} s")
        self.close()
        pause = FIRST_PAUSE
        while True:
            left = lost + self.patience - time.monotonic()
            if left <= 0:
                text = f"no connection to {where} for {self.patience:.0f} s: {one_line(error)}"
                raise ConnectionError(text) from error
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)
            with suppress(*GONE, *REFUSED, RuntimeError):
                self._session = self._leave.enter_context(login.admin_session(self.kit))
                self.say(f"connected to {where} again after {time.monotonic() - lost:.0f} s")
                return

    def close(self) -> None:
        """Close the session; one whose server is gone may fail to."""
        with suppress(Exception):
            self._leave.close()


@contextmanager
def lasting_session(kit: Path, *, patience: float | None = None, say: Say) -> Iterator[Session]:
    """Yield a session that outlives its connection, and close it in every case.

    Args:
        kit: startup kit of the lead or the project admin.
        patience: seconds to try to log in again; None for :data:`PATIENCE`.
        say: gets one line when the connection is lost, and one when it is there again.

    Raises:
        InputError: the folder is not an admin's startup kit.
        ConnectionError: the first login failed, or the connection was lost for longer than ``patience``.
        RuntimeError: the server refused a request in the ``with`` block.
    """
    session = LastingSession(kit, patience=PATIENCE if patience is None else patience, say=say)
    try:
        yield cast(Session, session)
    except REFUSED as error:
        raise RuntimeError(f"the server refused: {one_line(error)}") from error
    finally:
        session.close()
