"""The names of the connected sites against the project file, with FLARE's own keeper of clients and commands."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContextManager
from nvflare.apis.shareable import Shareable
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.message import Message
from nvflare.fuel.flare_api.api_spec import InternalError
from nvflare.fuel.hci.conn import Connection
from nvflare.fuel.hci.server.reg import ServerCommandRegister
from nvflare.private.defs import CellMessageHeaderKeys, ClientType
from nvflare.private.fed.server.client_manager import ClientManager

from admin.federation.kit_settings import EXPECTED_FILE, expect_sites
from admin.federation.kits import expected_sites
from admin.federation.kits.expected_sites import MISSING, UNEXPECTED, ExpectedSites, compared
from admin.session import job_process


class Server:
    """FLARE's keeper of clients and its commands, with our component as the only handler of events."""

    def __init__(self, *sites: str) -> None:
        self.clients = ClientManager("project")
        self.commands = ServerCommandRegister(app_ctx=None)
        self.commands.finalize()
        self.component = ExpectedSites(sites)
        engine = SimpleNamespace(
            server=SimpleNamespace(admin_server=SimpleNamespace(cmd_reg=self.commands)),
            client_manager=self.clients,
            get_clients=lambda: list(self.clients.get_clients().values()),
        )
        self._contexts = FLContextManager(engine=engine, identity_name="server")

    def register(self, name: str, kind: str = ClientType.REGULAR) -> None:
        """A machine or a person connects."""
        fl_ctx = self._contexts.new_context()
        headers = {
            CellMessageHeaderKeys.CLIENT_TYPE: kind,
            CellMessageHeaderKeys.CLIENT_NAME: name,
            CellMessageHeaderKeys.CLIENT_IP: "10.0.0.1",
            CellMessageHeaderKeys.PROJECT_NAME: "project",
            MessageHeaderKey.ORIGIN: name,
        }
        self.clients.authenticate(Message(headers, Shareable()), fl_ctx)
        self.component.handle_event(EventType.CLIENT_REGISTER_PROCESSED, fl_ctx)

    def _do_command(self, command: str) -> dict[str, Any]:
        """What FLARE's console answers to a command of a session."""
        conn = Connection()
        self.commands.process_command(conn, command)
        return {"meta": json.loads(conn.close())["meta"]}

    def told(self) -> list[tuple[str, str]]:
        """What the lead's commands make of the answer."""
        return [(one["site"], one["kind"]) for one in job_process.unlike_the_project(self)]  # type: ignore[arg-type]


def test_a_connected_site_that_the_project_file_does_not_name_is_one_alarm_and_one_that_is_away_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server("north", "lake", "left")
    server.clients.disabled_clients = {"left"}
    for site in ("north", "stranger", "stranger", "north"):
        server.register(site)
    [alarm] = [record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()]
    assert alarm.startswith("ALARM: site stranger is connected, and the project file")
    assert server.told() == [("stranger", UNEXPECTED), ("lake", MISSING)]
    server.register("lake")
    assert server.told() == [("stranger", UNEXPECTED)]


def test_a_person_who_logs_in_is_no_site() -> None:
    server = Server("north")
    server.register("lead@x.org", ClientType.ADMIN)
    assert server.told() == [("north", MISSING)]
    server.register("north")
    assert server.told() == []


def test_equal_names_are_no_difference() -> None:
    assert compared(["a", "b"], ["b", "a"], disabled=()) == []
    assert [one["site"] for one in ExpectedSites(["a"]).differences()] == ["a"]


def test_a_server_without_the_component_tells_nothing() -> None:
    class Stock:
        def _do_command(self, command: str) -> Any:
            raise InternalError("protocol error: Command expected_sites not found")

    assert job_process.unlike_the_project(Stock()) == []  # type: ignore[arg-type]


def test_the_names_that_both_ends_use_are_the_same() -> None:
    ours = (expected_sites.COMMAND, expected_sites.DIFFERENCES, UNEXPECTED)
    assert ours == (job_process.EXPECTED_COMMAND, job_process.DIFFERENCES, job_process.UNEXPECTED)
    assert f"local/{EXPECTED_FILE}" == expected_sites.FILE


def test_the_component_in_a_kit_has_the_names_of_the_project_file(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    expect_sites(tmp_path, ["north", "lake"])
    [component] = json.loads((tmp_path / "local" / EXPECTED_FILE).read_text())["components"]
    assert component["path"] == "expected_sites.ExpectedSites"
    assert ExpectedSites(**component["args"]).sites == ["lake", "north"]
    copy = (tmp_path / "local" / "custom" / "expected_sites.py").read_text()
    assert "import admin" not in copy
    assert "from admin" not in copy
    assert "fedaid." not in copy
