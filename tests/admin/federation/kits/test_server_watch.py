"""The watch in the server's process, with FLARE's own keeper of clients, events and commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.shareable import Shareable
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.message import Message
from nvflare.fuel.flare_api.api_spec import InternalError
from nvflare.fuel.hci.conn import Connection
from nvflare.fuel.hci.server.reg import ServerCommandRegister
from nvflare.private.defs import CellMessageHeaderKeys, ClientType
from nvflare.private.fed.server.client_manager import ClientManager

from admin.federation.kit_settings import add_watch
from admin.federation.kits import job_guard, server_watch
from admin.federation.kits.server_watch import AWAY, LATE, OVER, ServerWatch, TwoMachines
from admin.session import job_process, setback
from fedaid.flare.answers import absent_sites


class Server:
    """FLARE's keeper of clients and its commands, with the watch as the only handler of events."""

    def __init__(self, folder: Path, sites: tuple[str, ...] = ()) -> None:
        self.clients = ClientManager("project")
        self.commands = ServerCommandRegister(app_ctx=None)
        self.commands.finalize()
        self.watch = ServerWatch(sites)
        engine = SimpleNamespace(
            server=SimpleNamespace(admin_server=SimpleNamespace(cmd_reg=self.commands)),
            client_manager=self.clients,
            get_clients=lambda: list(self.clients.get_clients().values()),
            get_workspace=lambda: SimpleNamespace(get_run_dir=lambda job: str(folder)),
        )
        self._contexts = FLContextManager(engine=engine, identity_name="server")

    def context(self) -> FLContext:
        return self._contexts.new_context()

    def register(self, site: str) -> str:
        """A machine with the site's kit connects; returns its token."""
        fl_ctx = self.context()
        headers = {
            CellMessageHeaderKeys.CLIENT_TYPE: ClientType.REGULAR,
            CellMessageHeaderKeys.CLIENT_NAME: site,
            CellMessageHeaderKeys.CLIENT_IP: "10.0.0.1",
            CellMessageHeaderKeys.PROJECT_NAME: "project",
            MessageHeaderKey.ORIGIN: site,
        }
        client = self.clients.authenticate(Message(headers, Shareable()), fl_ctx)
        self.watch.handle_event(EventType.CLIENT_REGISTER_PROCESSED, fl_ctx)
        return str(client.token)

    def heartbeat(self, site: str, token: str) -> None:
        fl_ctx = self.context()
        self.clients.heartbeat(token, site, site, fl_ctx)
        self.watch.handle_event(EventType.CLIENT_HEARTBEAT_PROCESSED, fl_ctx)

    def _do_command(self, command: str) -> dict[str, Any]:
        """What FLARE's console answers to a command of a session."""
        conn = Connection()
        self.commands.process_command(conn, command)
        return {"meta": json.loads(conn.close())["meta"]}

    def told(self) -> list[str]:
        """What the lead's commands make of the answer: the alarms' texts."""
        return list(job_process.two_machines(self).values())  # type: ignore[arg-type]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds since 1970, which the test changes; the second number is a step of the wall clock."""
    now = [1_000_000.0, 0.0]
    clocks = SimpleNamespace(monotonic=lambda: now[0] - 900_000.0, time=lambda: sum(now))
    monkeypatch.setattr(server_watch, "time", clocks)
    return now


def alarms_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "ALARM" in record.getMessage()]


def test_a_second_machine_with_a_kit_is_one_alarm_that_ends_with_it(
    tmp_path: Path, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(tmp_path)
    first, other = server.register("north"), server.register("lake")
    second = server.register("north")
    for _ in range(6):  # a minute
        clock[0] += 10
        for site, token in (("north", first), ("north", second), ("lake", other)):
            server.heartbeat(site, token)
    assert len(alarms_in(caplog)) == 1
    assert "ALARM: two machines use the startup kit of site north since 1970-01-12T13:46:50Z" in alarms_in(caplog)[0]
    assert "New client north@" in alarms_in(caplog)[0]
    [told] = server.told()
    assert told in alarms_in(caplog)[0]
    clock[0] += OVER + 1
    server.heartbeat("lake", other)
    assert "ALARM is over: two machines used the startup kit of site north from" in alarms_in(caplog)[1]
    assert [text.split(" from ")[0] for text in server.told()] == ["two machines used the startup kit of site north"]
    clock[0] += 2 * 86_400
    server.heartbeat("lake", other)
    assert server.told() == []


def test_a_restart_is_no_alarm_however_often_and_fast(
    tmp_path: Path, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(tmp_path)
    for _ in range(5):
        token = server.register("north")
        for _ in range(3):
            clock[0] += 2
            server.heartbeat("north", token)
    assert alarms_in(caplog) == []
    assert server.told() == []


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_step_of_the_wall_clock_neither_makes_nor_hides_nor_ends_an_alarm(
    tmp_path: Path, clock: list[float], caplog: pytest.LogCaptureFixture, step: float
) -> None:
    server = Server(tmp_path)
    first = server.register("north")
    server.register("north")
    server.heartbeat("north", first)
    clock[1] = step
    clock[0] += 1
    server.heartbeat("north", first)
    assert server.told() == [], "a second is too soon"
    clock[0] += 9
    server.heartbeat("north", first)
    assert len(alarms_in(caplog)) == 1
    clock[1] = 0.0
    assert len(server.told()) == len(alarms_in(caplog)) == 1
    clock[0] += OVER + 1
    assert [text.split(" from ")[0] for text in server.told()] == ["two machines used the startup kit of site north"]


def test_one_late_heartbeat_of_a_former_process_is_no_alarm(tmp_path: Path, clock: list[float]) -> None:
    server = Server(tmp_path)
    first = server.register("north")
    server.register("north")
    server.heartbeat("north", first)
    clock[0] += 1
    server.heartbeat("north", first)  # at once again: the same moment
    clock[0] += 300
    server.heartbeat("north", first)
    assert server.told() == []


def test_a_new_alarm_of_a_site_comes_before_its_former_one() -> None:
    machines = TwoMachines()
    for start in (0.0, 1000.0):
        assert [machines.dropped("north", start + late) is None for late in (0, 10)] == [True, False]
        assert [alarm.site for alarm in machines.over(start + 200)] == ["north"]
    machines.dropped("north", 2000.0)
    machines.dropped("north", 2010.0)
    assert [bool(alarm.until) for alarm in machines.alarms] == [False, True, True]


def test_each_site_without_a_part_in_a_job_is_written_with_its_reason(tmp_path: Path) -> None:
    server = Server(tmp_path, sites=("north", "lake", "south", "gone", "left"))
    for site in ("north", "lake", "south", "new"):
        server.register(site)
    server.clients.disabled_clients = {"left"}
    fl_ctx = server.context()
    details = ["server: OK", "north: OK", "lake: ERROR: not\nauthorized.", "invalid_clients: x"]
    fl_ctx.set_prop(FLContextKey.JOB_DEPLOY_DETAIL, details)
    server.watch.handle_event(EventType.JOB_DEPLOYED, fl_ctx)
    assert json.loads((tmp_path / server_watch.ABSENT_FILE).read_text()) == {
        "gone": AWAY,
        "lake": "ERROR: not authorized",
        "new": LATE,
        "south": LATE,
    }


def test_a_folder_that_cannot_be_written_does_not_stop_the_job(tmp_path: Path) -> None:
    server = Server(tmp_path / "no folder")
    server.watch.handle_event(EventType.JOB_DEPLOYED, server.context())


def test_the_names_that_both_ends_use_are_the_same() -> None:
    assert (server_watch.COMMAND, server_watch.ALARMS) == (job_process.COMMAND, job_process.ALARMS)
    commands = (server_watch.STARTED_COMMAND, server_watch.STARTED, server_watch.FAILURES)
    assert commands == (job_process.STARTED_COMMAND, job_process.STARTED, job_process.FAILURES)
    assert server_watch.SITE_FAILED == job_guard.SITE_FAILED
    assert server_watch.ABSENT_FILE == absent_sites.FILE


def test_the_lead_is_told_which_site_refuses_a_class_although_the_servers_log_is_closed(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.register("north")
    fl_ctx = server.context()
    found = {"job": "id", "site": "north", "reason": "unsafe component"}
    fl_ctx.set_prop(FLContextKey.EVENT_DATA, found, private=True, sticky=False)
    server.watch.handle_event(server_watch.SITE_FAILED, fl_ctx)
    session: Any = SimpleNamespace(_do_command=server._do_command)
    assert job_process.failed_sites(session, "id") == {"north": "unsafe component"}
    assert job_process.failed_sites(session, "other") == {}
    refused = setback.aborted(session, "id")
    assert (refused.lasting, refused.on_purpose) == (True, False)
    assert refused.text == "site north refuses a class of the job; log.txt in its kit names it"
    assert setback.aborted(session, "other").on_purpose


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_job_is_of_a_former_process_of_the_server_whatever_the_wall_clock_says(tmp_path: Path, step: float) -> None:
    server = Server(tmp_path)
    server.register("north")
    fl_ctx = server.context()
    fl_ctx.set_prop(FLContextKey.JOB_RUN_NUMBER, "new")
    server.watch.handle_event(EventType.JOB_DEPLOYED, fl_ctx)
    times = {"new": 200.0 + step, "old": 50.0 + step}
    session: Any = SimpleNamespace(
        _do_command=server._do_command,
        get_job_meta=lambda job_id: {"last_schedule_time": times[job_id]},
        get_system_info=lambda: SimpleNamespace(server_info=SimpleNamespace(start_time=100.0)),
    )
    assert [job_process.server_restarted(session, job) for job in ("new", "old")] == [False, True]


def test_a_server_without_the_watch_has_no_alarm() -> None:
    class Stock:
        def _do_command(self, command: str) -> Any:
            raise InternalError("protocol error: Command two_machines not found")

    assert job_process.two_machines(Stock()) == {}  # type: ignore[arg-type]


def test_the_watch_in_a_kit_needs_no_code_of_this_project(tmp_path: Path) -> None:
    (tmp_path / "local").mkdir()
    add_watch(tmp_path, ["north", "lake"])
    [component] = json.loads((tmp_path / "local" / "fedaid_watch__p_resources.json").read_text())["components"]
    module, name = component["path"].split(".")
    script = f"import sys; sys.path.insert(0, 'local/custom'); import {module}; "
    script += f"made = {module}.{name}(**{component['args']}); print(made.sites)"
    done = subprocess.run([sys.executable, "-I", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.split() == ["['lake',", "'north']"], done.stderr
