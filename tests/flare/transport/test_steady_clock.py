"""What FLARE's waits do when the wall clock is set, with its own clock and with ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.bcast_manager import BcastTaskManager
from nvflare.apis.impl.wf_comm_server import WFCommServer, _DeadClientStatus
from nvflare.apis.shareable import Shareable
from nvflare.private.fed.client import client_runner
from nvflare.private.fed.server.fed_server import FederatedServer

from fedaid.flare.transport import steady_clock
from fedaid.flare.transport.steady_clock import MODULES, SteadyClock, SteadyTime, keep_steady

HOUR = 3600.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the wall clock forward by some seconds; at first FLARE has its own clock in every module."""
    real, steps = time.time, [0.0]
    for name in MODULES:
        if name in sys.modules:
            monkeypatch.setattr(sys.modules[name], "time", time)
    monkeypatch.setattr(time, "time", lambda: real() + sum(steps))
    return steps.append


def waits_on(set_clock: Callable[[float], None], step: float) -> bool:
    """Whether a phase still waits for its last site after the step; it waits for a minute."""
    first, last = (ClientTask(Client(name, name), Task("align", Shareable())) for name in ("north", "lake"))
    task = Task("align", Shareable())
    task.targets, task.client_tasks = ["north", "lake"], [first, last]
    first.result_received_time = 1.0
    manager = BcastTaskManager(task, min_responses=1, wait_time_after_min_received=60)
    assert not manager.check_task_exit(task)[0]
    set_clock(step)
    return not manager.check_task_exit(task)[0]


def keeps_sites(set_clock: Callable[[float], None], step: float) -> bool:
    """Whether the server keeps a site that it heard just now; it drops one that was silent for a minute."""
    dropped: list[str] = []
    client = Client("north", "token")
    server: Any = SimpleNamespace(
        logger=SimpleNamespace(debug=print, info=print),
        client_manager=SimpleNamespace(get_clients=lambda: {"token": client}),
        heart_beat_timeout=60.0,
        logout_client=lambda token: dropped.append(token) or client,
    )
    set_clock(step)
    FederatedServer.remove_dead_clients(server)
    return dropped == []


def keeps_reported(set_clock: Callable[[float], None], step: float) -> bool:
    """Whether a site that was reported lost just now still has its minute to be heard again."""
    server = WFCommServer()
    status = server._dead_clients["north"] = _DeadClientStatus()
    server._engine = SimpleNamespace(new_context=FLContext)
    set_clock(step)
    server._check_dead_clients()
    return status.disconnect_time is None


class FourLooks:
    """The end of a run at the fifth look; after the second one the clock is set."""

    def __init__(self, set_clock: Callable[[], None]) -> None:
        self._set_clock, self._looks = set_clock, 0

    @property
    def triggered(self) -> bool:
        self._looks += 1
        if self._looks == 2:
            self._set_clock()
        return self._looks > 4


def gives_signs(set_clock: Callable[[float], None], step: float) -> bool:
    """Whether a site's process goes on giving signs of life; it is due at each look."""
    sent: list[object] = []
    runner: Any = SimpleNamespace(
        run_abort_signal=FourLooks(lambda: set_clock(step)),
        engine=SimpleNamespace(new_context=FLContext, send_aux_request=lambda **message: sent.append(message)),
        job_heartbeat_interval=0.1,
        parent_target="server",
    )
    client_runner.ClientRunner._send_job_heartbeat(runner)
    return len(sent) == 4


@pytest.mark.parametrize(
    ("goes_on", "step"),
    [(waits_on, HOUR), (keeps_sites, HOUR), (keeps_reported, HOUR), (gives_signs, -HOUR)],
)
def test_a_step_of_the_wall_clock_ends_a_wait_of_flare_but_not_with_a_steady_clock(
    set_clock: Callable[[float], None], goes_on: Callable[[Callable[[float], None], float], bool], step: float
) -> None:
    assert not goes_on(set_clock, step)
    keep_steady()
    assert goes_on(set_clock, step)
    assert goes_on(set_clock, -step)


def test_the_steady_clock_starts_at_the_wall_clock_and_has_the_rest_of_the_module() -> None:
    steady = SteadyTime()
    assert abs(steady.time() - time.time()) < 1.0
    assert steady.monotonic is time.monotonic
    assert steady.sleep is time.sleep


def test_every_module_of_the_list_is_of_flare_and_takes_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MODULES:
        __import__(name)
        monkeypatch.setattr(sys.modules[name], "time", time)
    SteadyClock().handle_event(EventType.START_RUN, FLContext())
    assert all(sys.modules[name].time is time for name in MODULES)
    SteadyClock().handle_event(EventType.SYSTEM_START, FLContext())
    assert all(isinstance(sys.modules[name].time, SteadyTime) for name in MODULES)
    first = [sys.modules[name].time for name in MODULES]
    keep_steady()
    assert [sys.modules[name].time for name in MODULES] == first, "a second start must not move the clock"


def test_the_file_in_a_kit_needs_no_code_of_this_project() -> None:
    lines = Path(str(steady_clock.__file__)).read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith(("from fedaid", "from admin", "import fedaid")) for line in lines)
