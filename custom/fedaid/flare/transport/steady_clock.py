"""A clock for FLARE's deadlines that a step of the wall clock does not change.

FLARE 2.9.0 measures its waits with the wall clock. If that is set forward by an hour, the waits that are under way end:
the server drops its sites, a task and the wait after ``min_clients`` answers are over, a transfer has timed out. If it
is set back, a site gives no sign of life for an hour, and a wait lasts an hour longer.

``provision`` and the POC copy this file into ``local/custom`` of the server's kit. So it imports nothing of this
package.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_context import FLContext

MODULES = (
    "nvflare.apis.client",
    "nvflare.apis.controller_spec",
    "nvflare.apis.impl.bcast_manager",
    "nvflare.apis.impl.send_manager",
    "nvflare.apis.impl.wf_comm_server",
    "nvflare.app_common.job_schedulers.job_scheduler",
    "nvflare.fuel.f3.sfm.conn_manager",
    "nvflare.fuel.f3.sfm.heartbeat_monitor",
    "nvflare.fuel.f3.streaming.download_service",
    "nvflare.fuel.utils.waiter_utils",
    "nvflare.private.aux_runner",
    "nvflare.private.fed.client.client_runner",
    "nvflare.private.fed.client.communicator",
    "nvflare.private.fed.server.client_manager",
    "nvflare.private.fed.server.fed_server",
    "nvflare.private.fed.server.server_commands",
    "nvflare.private.fed.server.server_engine",
    "nvflare.private.fed.server.server_runner",
)
"""Those that compare two times of one process. Dates that FLARE writes, and certificates, have the wall clock."""


class SteadyTime:
    """Python's module ``time`` with another function ``time``: the start's wall clock and the seconds since then."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def time(self) -> float:
        """Return seconds since 1970 that only grow."""
        return self._start + time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def keep_steady() -> None:
    """Let FLARE's modules in this process use one steady clock; those that it has not loaded yet stay as they are."""
    steady = SteadyTime()
    for name in MODULES:
        module = sys.modules.get(name)
        if module is not None and getattr(module, "time", None) is time:
            module.time = steady  # type: ignore[attr-defined]


class SteadyClock(FLComponent):  # type: ignore[misc]
    """A component of the server's process: from its start on, FLARE's waits there use a steady clock."""

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Change the clock."""
        if event_type == EventType.SYSTEM_START:
            keep_steady()
