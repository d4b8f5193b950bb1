from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.fl_constant import ReservedKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.message import Message
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey

from fedaid.flare.transport import gone_controller as module
from fedaid.flare.transport.gone_controller import APART, GONE, ControllerWatch, end_with_controller

CONTROLLER = "server.job-1"


def report(receiver: str = CONTROLLER, origin: str = "server") -> Message:
    """What the cell of a process says of a message that did not reach its receiver."""
    return Message({StreamHeaderKey.FAILED_DESTINATION: receiver, MessageHeaderKey.ORIGIN: origin})


def is_ended(times: list[float], monkeypatch: pytest.MonkeyPatch, **of: str) -> bool:
    """Whether reports at these times end the run."""
    run = Signal()
    watch = ControllerWatch(CONTROLLER, run)
    for seconds in times:
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda now=seconds: now))
        watch.notice(report(**of))
    return bool(run.triggered)


@pytest.mark.parametrize(
    ("times", "ended"),
    [
        ([0.0], False),
        ([0.0, GONE - 1], False),
        ([0.0, 0.5, GONE], True),
        ([0.0, 10.0, 20.0, 30.0], True),
        ([100.0, 100.0 + APART + 1], False),  # two reports an hour apart are two short losses
        ([0.0, APART + 1, APART + 1 + GONE], True),
    ],
)
def test_a_site_ends_its_run_when_the_server_has_had_no_process_for_a_while(
    times: list[float], ended: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_ended(times, monkeypatch) is ended


@pytest.mark.parametrize(
    "of", [{"origin": "lake"}, {"origin": CONTROLLER}, {"receiver": "lake.job-1"}, {"receiver": "server.job-2"}]
)
def test_only_the_server_itself_can_say_that_its_process_of_this_job_is_gone(
    of: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_ended([0.0, 10.0, 20.0, 30.0, 40.0], monkeypatch, **of)


def test_the_report_comes_from_the_cell_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks: list[Any] = []
    streamer = SimpleNamespace(register_error_callback=callbacks.append)
    run, context = Signal(), FLContext()
    context.set_prop(ReservedKey.RUN_ABORT_SIGNAL, run, private=True, sticky=True)
    context.set_prop(ReservedKey.RUN_NUM, "job-1", private=False, sticky=True)
    end_with_controller(SimpleNamespace(get_cell=lambda: SimpleNamespace(byte_streamer=streamer)), context)
    monkeypatch.setattr(module, "GONE", 0.0)
    callbacks[0](report())
    assert run.triggered
    end_with_controller(object(), context)
    end_with_controller(SimpleNamespace(get_cell=lambda: None), context)
    assert len(callbacks) == 1
