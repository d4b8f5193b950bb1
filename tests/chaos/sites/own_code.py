"""Code of a site of its own whose exceptions hold the names of patients, as a privacy filter's can.

It lies in ``local/custom`` of the site's kit. ``local/canaries.json`` says what happens: round → place → name. This
file is copied into a kit, so it imports nothing of the tests.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from nvflare.apis.event_type import EventType
from nvflare.apis.filter import Filter
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_context import FLContext
from nvflare.apis.fl_exception import UnsafeJobError
from nvflare.apis.shareable import Shareable

TOLD = "told.txt"  # in the site's settings: which canaries were in an exception


def canary_of(place: str, number: object, fl_ctx: FLContext) -> str | None:
    """The name that belongs into an exception at this place of this round."""
    folder = Path(fl_ctx.get_engine().get_workspace().get_site_config_dir())
    name = json.loads((folder / "canaries.json").read_text()).get(f"{place} {number}")
    if name:
        with (folder / TOLD).open("a") as told:
            told.write(f"{name}\n")
    return name


def round_of(shareable: Shareable) -> object:
    """The round in a message's meta."""
    return shareable.get("DXO", {}).get("meta", {}).get("round")


class Receiving(Filter):  # type: ignore[misc]
    """A filter of what arrives, with an exception."""

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """Passes the message on, or fails."""
        if name := canary_of("receiving", round_of(shareable), fl_ctx):
            raise ValueError(f"unexpected patient {name}")
        return shareable


class Sending(Filter):  # type: ignore[misc]
    """A filter of what leaves, with exceptions of several kinds.

    Args:
        fails: a name in the exception with which it cannot be built.
    """

    def __init__(self, fails: str = "") -> None:
        super().__init__()
        if fails:
            (Path(__file__).parents[1] / TOLD).open("a").write(f"{fails}\n")
            raise ValueError(f"unexpected patient {fails}")

    def process(self, shareable: Shareable, fl_ctx: FLContext) -> Shareable:
        """Passes the message on, or fails."""
        if name := canary_of("unsafe", round_of(shareable), fl_ctx):
            raise UnsafeJobError(f"unexpected patient {name}")
        if name := canary_of("sending", round_of(shareable), fl_ctx):
            raise RuntimeError(f"unexpected patient {name}") from KeyError(name)
        return shareable


class Watching(FLComponent):  # type: ignore[misc]
    """A component that fails, logs and prints when an event comes."""

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Fails."""
        if event_type not in (EventType.START_RUN, EventType.BEFORE_TASK_EXECUTION, EventType.END_RUN):
            return
        if name := canary_of("logging", event_type, fl_ctx):
            self.log_error(fl_ctx, f"patient {name}")
            logging.getLogger("own").error("patient %s", name)
            print(f"patient {name}", file=sys.stderr)
        if name := canary_of("panic", event_type, fl_ctx):
            self.system_panic(f"patient {name}", fl_ctx)
        if name := canary_of("watching", event_type, fl_ctx):
            raise OSError(f"no such file: /data/{name}.dcm")
