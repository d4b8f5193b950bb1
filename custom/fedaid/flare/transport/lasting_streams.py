"""Streams of a job's process that outlast a cut of the line."""

from __future__ import annotations

from nvflare.fuel.f3.comm_config import CommConfigurator, VarName
from nvflare.fuel.utils.config_service import ConfigService

SETTINGS = {
    VarName.STREAMING_RELIABLE: True,
    VarName.STREAMING_RETRY_WAIT: 15.0,
    VarName.STREAMING_RETRY_TIMEOUT: 300.0,
    VarName.STREAMING_ACK_PROGRESS_TIMEOUT: 300.0,
}
"""Seconds until a part that was not confirmed is sent again, and until its sender gives up.

By default FLARE 2.9.0 does not send a lost request again: a site whose poll was lost waits five minutes for its answer.
It does send lost answers again, after five seconds; on a line of 200 kB/s that is before a block has arrived, so the
line would carry most blocks twice. The values of FLARE's ``comm_config.json`` take precedence.
"""


def outlast_cuts() -> None:
    """Sets up this process; FLARE reads the values for each stream."""
    chosen = CommConfigurator().get_config() or {}
    values = ConfigService.get_var_values()
    values.update({name: value for name, value in SETTINGS.items() if name not in chosen})
