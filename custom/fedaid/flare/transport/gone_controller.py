"""Ends a site's process of a job whose controller has ended.

FLARE 2.9.0 asks each site once to end the run. If that message is lost, as on a line that is cut at this moment, the
site's process asks a controller that does not exist any more for its next task, twice a second, and the server waits
for this process: the job stays RUNNING for 15 minutes after its last round.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.cellnet.fqcn import FQCN
from nvflare.fuel.f3.message import Message
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey

LOG = logging.getLogger(__name__)
GONE = 20.0  # seconds of such answers
APART = 30.0  # seconds between two of them at most; a site's process sends something every ten seconds


class ControllerWatch:
    """Ends the run of a site when the server says for some time that it has no process of the job.

    A line that is cut cannot end a run: only an answer of the server itself counts.

    Args:
        controller: FLARE's name of the server's process of the job.
        run: signal that ends the run of this site.
    """

    def __init__(self, controller: str, run: Signal) -> None:
        self._controller, self._run = controller, run
        self._first = self._last = float("-inf")

    def notice(self, error: Message) -> None:
        """Takes the report that a message of this process did not reach its receiver."""
        receiver = error.get_header(StreamHeaderKey.FAILED_DESTINATION)
        if receiver != self._controller or error.get_header(MessageHeaderKey.ORIGIN) != FQCN.ROOT_SERVER:
            return
        now = time.monotonic()
        if now - self._last > APART:
            self._first = now
        self._last = now
        if now - self._first >= GONE and not self._run.triggered:
            LOG.warning("the server has had no process of this job for %.0f s: this site ends the run", GONE)
            self._run.trigger(True)


def end_with_controller(engine: Any, fl_ctx: FLContext) -> None:
    """Watches the server's process of the job from now on.

    Args:
        engine: FLARE's engine of the site's process of a job; without a cell there is no effect.
        fl_ctx: of the start of the run.
    """
    cell = engine.get_cell() if hasattr(engine, "get_cell") else None
    streamer, run = getattr(cell, "byte_streamer", None), fl_ctx.get_run_abort_signal()
    if streamer is not None and run is not None:
        controller = FQCN.join([FQCN.ROOT_SERVER, fl_ctx.get_job_id()])
        streamer.register_error_callback(ControllerWatch(controller, run).notice)
