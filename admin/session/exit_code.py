"""What the commands that talk to a federation return: 0 ok, 1 failed, 2 cannot connect, 3 timed out."""

from __future__ import annotations

from nvflare.apis.fl_exception import FLCommunicationError
from nvflare.fuel.flare_api.api_spec import (
    AuthorizationError,
    InternalError,
    InvalidJobDefinition,
    JobNotDone,
    JobNotFound,
    SessionClosed,
)

from fedaid.errors import InputError

OK = 0
FAILED = 1
CONNECTION = 2
TIMEOUT = 3
INTERRUPTED = 130

REFUSALS = (AuthorizationError, InternalError, InvalidJobDefinition, JobNotDone, JobNotFound, InputError, RuntimeError)
LOST = (ConnectionError, FLCommunicationError, SessionClosed)


def exit_code(error: Exception) -> int:
    """Return the exit code for a failure.

    Raises:
        Exception: ``error`` itself, if it is none that a person's input or the network explains.
    """
    if isinstance(error, TimeoutError):
        return TIMEOUT
    if isinstance(error, LOST):
        return CONNECTION
    if isinstance(error, (*REFUSALS, OSError)):
        return FAILED
    raise error
