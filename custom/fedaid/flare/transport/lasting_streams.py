"""Streams of a job's process that outlast a cut of the line."""

from __future__ import annotations

from typing import Any

from nvflare.fuel.f3.comm_config import CommConfigurator, VarName
from nvflare.fuel.utils.config_service import ConfigService

SETTINGS = {
    VarName.STREAMING_RETRY_WAIT: 15.0,
    VarName.STREAMING_ACK_PROGRESS_TIMEOUT: 300.0,
}
"""Seconds until a part of an answer that was not confirmed is sent again, and until its sender gives up.

FLARE 2.9.0 sends it again after five seconds. On a line of 200 kB/s that is before a block has arrived, so the line
would carry most blocks twice. Do not set ``streaming_reliable`` or a longer ``streaming_retry_timeout``: FLARE then has
a thread for each request of the last minutes, some thousand with three sites. The values of FLARE's
``comm_config.json`` take precedence.
"""


POLL = 60.0  # seconds; the arrays of a task are not part of the answer to a poll


def poll_again_soon(engine: Any) -> None:
    """Lets a site ask for its task again if there is no answer for :data:`POLL` seconds.

    FLARE 2.9.0 does not send a poll again that was lost with a connection, and waits five minutes for its answer. The
    answer to a task has a time limit of its own in the job.

    Args:
        engine: FLARE's engine of the site's process of a job; without a communicator there is no effect.
    """
    communicator = getattr(getattr(engine, "client", None), "communicator", None)
    if communicator is not None:
        communicator.timeout = min(communicator.timeout, POLL)


def outlast_cuts() -> None:
    """Sets up this process; FLARE reads the values for each stream."""
    chosen = CommConfigurator().get_config() or {}
    values = ConfigService.get_var_values()
    values.update({name: value for name, value in SETTINGS.items() if name not in chosen})
