"""Compares the connected sites with the project file, from FLARE's server process.

``provision`` copies this file into ``local/custom`` of the server's kit. So it imports nothing of this project.
A site is let in all the same: its certificate is good, and a new hospital may work before the server's kit knows it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_context import FLContext
from nvflare.fuel.hci.proto import MetaStatusValue, make_meta
from nvflare.fuel.hci.reg import CommandModule, CommandModuleSpec, CommandSpec

COMMAND, DIFFERENCES = "expected_sites", "fedaid_expected_sites"  # a command of the console, and the key of its answer
UNEXPECTED, MISSING = "unexpected", "missing"
FILE = "local/fedaid_expected__p_resources.json"  # has the names of the project file
AS_EXPECTED = "all sites of the project file are connected, and no other"


def compared(expected: Iterable[str], connected: Iterable[str], *, disabled: Iterable[str]) -> list[dict[str, str]]:
    """Return the sites that are connected and not expected, then those that are expected and away.

    Args:
        expected: names of the project file.
        connected: names of the sites that FLARE counts as connected.
        disabled: sites that are locked out, which nobody misses.

    Returns:
        For each its ``site``, its ``kind`` (:data:`UNEXPECTED` or :data:`MISSING`), and ``text``, a line for a person.
    """
    known, here = set(expected), set(connected)
    strangers, away = sorted(here - known), sorted(known - here - set(disabled))
    return [
        *({"site": site, "kind": UNEXPECTED, "text": unexpected(site)} for site in strangers),
        *(
            {"site": site, "kind": MISSING, "text": f"site {site} of the project file is not connected"}
            for site in away
        ),
    ]


def unexpected(site: str) -> str:
    """Return what to do about a site that the project file does not name."""
    return (
        f"site {site} is connected, and the project file of the server's kit does not name it. If it is new, copy "
        f"{FILE} from the server's new kit and restart the server. If it has left, or nobody knows it, disable it: "
        f"disable_client {site}"
    )


class ExpectedSites(FLComponent):  # type: ignore[misc]
    """A component of the server's process; it has no effect in the processes of jobs.

    Args:
        sites: of the project file.
    """

    def __init__(self, sites: Iterable[str]) -> None:
        super().__init__()
        self.sites = sorted(sites)
        self._engine: Any = None
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Look at the names whenever a site, or a person, has registered."""
        if event_type == EventType.CLIENT_REGISTER_PROCESSED:
            with self._lock:
                self._offer_command(fl_ctx.get_engine())
                self._say_unexpected()

    def differences(self) -> list[dict[str, str]]:
        """The differences of now, as :func:`compared` returns them."""
        clients = self._engine.get_clients() if self._engine else ()
        disabled = self._engine.client_manager.disabled_clients if self._engine else ()
        return compared(self.sites, [str(client.name) for client in clients], disabled=disabled)

    def _say_unexpected(self) -> None:
        """Log each site that the project file does not name, once."""
        for one in self.differences():
            if one["kind"] == UNEXPECTED and one["site"] not in self._told:
                self._told.add(one["site"])
                self.logger.error(f"ALARM: {one['text']}")

    def _offer_command(self, engine: Any) -> None:
        """Add the command to FLARE's console, once; FLARE makes its own commands before it builds components."""
        register = getattr(getattr(engine.server, "admin_server", None), "cmd_reg", None)
        if self._engine or register is None:
            return
        self._engine = engine
        module = ExpectedSitesCommand(self)
        register.register_module(module)
        for entry in register.scopes[module.get_spec().name].entries.values():
            register._add_cmd_entry(entry.name, entry)


class ExpectedSitesCommand(CommandModule):  # type: ignore[misc]
    """FLARE's console gets the command ``expected_sites``; every person who may log in may give it."""

    def __init__(self, component: ExpectedSites) -> None:
        self._component = component

    def get_spec(self) -> CommandModuleSpec:
        """Return the command."""
        does = "compare the connected sites with the project file"
        spec = CommandSpec(name=COMMAND, description=does, usage=COMMAND, handler_func=self.show, visible=True)
        return CommandModuleSpec(name=COMMAND, cmd_specs=[spec])

    def show(self, conn: Any, args: list[str]) -> None:
        """Answer the command."""
        found = self._component.differences()
        lines = "\n".join(one["text"] for one in found) or AS_EXPECTED
        conn.append_string(lines, meta=make_meta(MetaStatusValue.OK, extra={DIFFERENCES: found}))
