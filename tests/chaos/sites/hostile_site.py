"""Code of a hostile site: the unmodified executor with a filter of the site's own that spoils its answers.

It lies in ``local/custom`` of the site's kit, and the site's privacy policy names it. ``local/hostile.json`` says what
it does: round → kind of fault. This file is copied into a kit, so it imports nothing of the tests.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.filter import Filter
from nvflare.apis.fl_constant import (
    AdminCommandNames,
    FedEventHeader,
    FLContextKey,
    ServerCommandKey,
    ServerCommandNames,
)
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.private.defs import CellChannel, new_cell_message
from nvflare.widgets.fed_event import FED_EVENT_TOPIC

REQUEST = "request"
LEVELS = 10_000
DECODED = 400  # levels that FLARE's encoder can write


class Colour(Enum):
    """An enum that the server does not know."""

    RED = 1


@dataclass
class Note:
    """A dataclass that the server does not know."""

    text: str


def nested(levels: int) -> Any:
    """Lists in lists."""
    return reduce(lambda inner, _: [inner], range(levels), [])


def named() -> None:
    """A function."""


FAULTS: dict[str, Callable[[], Any]] = {
    "an array of objects": lambda: np.array([{}, None], object),
    "an enum": lambda: Colour.RED,
    "a dataclass": lambda: Note("x"),
    "a set": lambda: {1, 2},
    "a function": lambda: named,
    "a lambda": lambda: lambda: None,
    "a text of 100 MB": lambda: "x" * 100_000_000,
    "10,000 levels": lambda: nested(LEVELS),
    "400 levels": lambda: nested(DECODED),
}


EVENTS = [EventType.FATAL_SYSTEM_ERROR, EventType.END_RUN, EventType.ABORT_TASK, EventType.CLIENT_DISCONNECTED]
COMMANDS = [AdminCommandNames.ABORT, ServerCommandNames.HANDLE_DEAD_JOB, ServerCommandNames.SERVER_STATE]
REQUESTS = [*(f"event {name}" for name in EVENTS), *(f"command {name}" for name in COMMANDS)]
PANIC = "a fatal error that the site tells everybody"


def ask(request: str, fl_ctx: FLContext, *, victim: str) -> None:
    """Sends the server's process of the job what would end it, or would put another site out."""
    engine, (kind, name), message = fl_ctx.get_engine(), request.split(), Shareable()
    if kind == "event":
        message.set_header(FedEventHeader.EVENT_TYPE, name)
        message.set_header(FedEventHeader.TIMESTAMP, time.time())
        engine.send_aux_request(targets=None, topic=FED_EVENT_TOPIC, request=message, timeout=5.0, fl_ctx=fl_ctx)
        return
    message.set_header(ServerCommandKey.FL_CLIENT, victim)
    target, parcel = f"server.{fl_ctx.get_job_id()}", new_cell_message({}, message)
    cell = engine.get_cell()
    cell.send_request(channel=CellChannel.SERVER_COMMAND, target=target, topic=name, request=parcel, timeout=5.0)


class Spoiler(Filter):  # type: ignore[misc]
    """Puts an object into the answer of each round that ``hostile.json`` names, or sends a request before it.

    An entry is ``[phase, part, fault, evades]``: ``part`` is "data", "meta" or "request"; with ``evades`` the object is
    put in after our last check at the site.
    """

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """Spoils the answer, or leaves it."""
        folder = Path(fl_ctx.get_engine().get_workspace().get_site_config_dir())
        plan = json.loads((folder / "hostile.json").read_text())
        number = str(shareable.get("DXO", {}).get("meta", {}).get("round"))
        wanted = plan.get(number)
        task = fl_ctx.get_prop(FLContextKey.TASK_NAME)
        if not wanted or wanted[0] != task:
            return shareable
        _, part, fault, evades = wanted
        (folder / f"did-{number}.txt").write_text(fault)
        if fault == PANIC:
            self.fire_fed_event(EventType.FATAL_SYSTEM_ERROR, Shareable(), fl_ctx)
        elif part == REQUEST:
            ask(fault, fl_ctx, victim=plan["victim"])
        elif evades:
            from fedaid.flare.site import executor

            honest = executor.check_filtered

            def late(event: str, context: FLContext) -> None:
                honest(event, context)
                if event == EventType.AFTER_TASK_RESULT_FILTER:
                    executor.check_filtered = honest
                    context.get_prop(FLContextKey.TASK_RESULT)["DXO"][part]["x"] = FAULTS[fault]()

            executor.check_filtered = late
        else:
            shareable["DXO"][part]["x"] = FAULTS[fault]()
        return shareable
