"""Streams of a job's process that outlast a cut of the line."""

from __future__ import annotations

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


def outlast_cuts() -> None:
    """Sets up this process; FLARE reads the values for each stream."""
    chosen = CommConfigurator().get_config() or {}
    values = ConfigService.get_var_values()
    values.update({name: value for name, value in SETTINGS.items() if name not in chosen})
