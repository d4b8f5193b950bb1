from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from nvflare.apis.signal import Signal
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.cellnet.utils import make_reply
from nvflare.fuel.f3.comm_config import CommConfigurator
from nvflare.fuel.f3.message import Message
from nvflare.fuel.utils.config_service import ConfigService

from fedaid.flare.transport import asking_cell as module
from fedaid.flare.transport.array_blocks import ASKED
from fedaid.flare.transport.asking_cell import FIRST_WAIT, PATIENCE, AskingCell
from fedaid.flare.transport.lasting_streams import POLL, outlast_cuts, poll_again_soon


class Clock:
    """Time that passes while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class CutCell:
    """A cell whose line is cut for a time: each request is lost."""

    def __init__(self, clock: Clock, *, seconds: float, code: str) -> None:
        self.clock, self.seconds, self.code = clock, seconds, code
        self.asked: list[tuple[float, Any]] = []

    def send_request(self, *, request: Message, timeout: float, **_: Any) -> Message:
        self.asked.append((timeout, request.payload))
        request.payload = b"encoded in place"
        if self.clock.now >= self.seconds:
            return make_reply(ReturnCode.OK)
        self.clock.now += timeout if self.code == ReturnCode.TIMEOUT else 0.0
        return make_reply(self.code)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def ask(cell: CutCell, **options: Any) -> str:
    request = Message({}, {"ref_id": "x", "state": {ASKED: 7}})
    reply = AskingCell(cell).send_request(request=request, timeout=600.0, **options)  # type: ignore[arg-type]
    return str(reply.get_header(MessageHeaderKey.RETURN_CODE))


@pytest.mark.parametrize("code", [ReturnCode.TIMEOUT, ReturnCode.COMM_ERROR])
def test_a_request_is_sent_again_with_the_same_state_until_the_line_is_whole(code: str, clock: Clock) -> None:
    cell = CutCell(clock, seconds=60.0, code=code)
    assert ask(cell) == ReturnCode.OK
    assert [payload for _, payload in cell.asked] == [{"ref_id": "x", "state": {ASKED: 7}}] * len(cell.asked)
    assert clock.now < 60.0 + 2 * FIRST_WAIT


@pytest.mark.parametrize("seconds", [1.0, 20.0, 30.0, 60.0, 90.0])
def test_after_a_cut_the_next_request_is_at_most_40_seconds_away(seconds: float, clock: Clock) -> None:
    ask(CutCell(clock, seconds=seconds, code=ReturnCode.TIMEOUT))
    assert clock.now <= seconds + 2 * FIRST_WAIT


def test_the_wait_is_twice_as_long_after_two_silences_so_that_a_slow_line_suffices(clock: Clock) -> None:
    cell = CutCell(clock, seconds=140.0, code=ReturnCode.TIMEOUT)
    ask(cell)
    assert [wait / FIRST_WAIT for wait, _ in cell.asked] == [1, 1, 2, 2, 4, 4]


def test_errors_that_come_at_once_do_not_lengthen_the_wait(clock: Clock) -> None:
    cell = CutCell(clock, seconds=140.0, code=ReturnCode.COMM_ERROR)
    ask(cell)
    assert {wait for wait, _ in cell.asked} == {FIRST_WAIT}


def test_patience_has_an_end_and_an_abort_ends_it_at_once(clock: Clock) -> None:
    cell = CutCell(clock, seconds=1e9, code=ReturnCode.COMM_ERROR)
    assert ask(cell) == ReturnCode.COMM_ERROR
    assert PATIENCE <= clock.now < PATIENCE + 10
    signal = Signal()
    signal.trigger(True)
    cell.asked.clear()
    assert ask(cell, abort_signal=signal) == ReturnCode.COMM_ERROR
    assert len(cell.asked) == 1


def test_another_error_is_not_asked_again(clock: Clock) -> None:
    cell = CutCell(clock, seconds=1e9, code=ReturnCode.PROCESS_EXCEPTION)
    assert ask(cell) == ReturnCode.PROCESS_EXCEPTION
    assert len(cell.asked) == 1


@pytest.fixture
def values() -> Iterator[dict[str, Any]]:
    """What FLARE remembers of its settings; it is put back after the test."""
    found: dict[str, Any] = ConfigService.get_var_values()
    before = dict(found)
    yield found
    found.clear()
    found.update(before)


def test_the_wait_fits_a_slow_line_even_if_flare_has_read_its_settings_before(values: dict[str, Any]) -> None:
    values.clear()
    flare = CommConfigurator()
    assert flare.get_streaming_retry_wait(5.0) == 5.0
    outlast_cuts()
    assert flare.get_streaming_retry_wait(5.0) == 15.0
    assert flare.get_streaming_chunk_size(7) == 7


def test_flare_does_not_keep_a_thread_for_each_request_of_the_last_minutes(values: dict[str, Any]) -> None:
    values.clear()
    outlast_cuts()
    flare = CommConfigurator()
    assert flare.get_streaming_reliable(False) is False
    assert flare.get_streaming_retry_timeout(60.0) == 60.0


@pytest.mark.parametrize(("before", "after"), [(300.0, POLL), (20.0, 20.0)])
def test_a_site_whose_poll_was_lost_asks_again_within_a_minute(before: float, after: float) -> None:
    communicator = SimpleNamespace(timeout=before)
    poll_again_soon(SimpleNamespace(client=SimpleNamespace(communicator=communicator)))
    assert communicator.timeout == after
    poll_again_soon(object())
