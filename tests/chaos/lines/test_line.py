"""The line itself: what a series injects is what a connection sees."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.lines.line import UP, Line


@pytest.fixture
def line() -> Iterator[Line]:
    """A line to a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=back, args=(connection,), daemon=True).start()

        def back(connection: socket.socket) -> None:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

        threading.Thread(target=echo, daemon=True).start()
        with Line(server.getsockname()[1]) as line:
            yield line


def round_trip(line: Line, size: int) -> float:
    """Seconds until all bytes are back."""
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", line.port), timeout=20) as connection:
        sender = threading.Thread(target=connection.sendall, args=(bytes(size),), daemon=True)
        sender.start()
        left = size
        while left:
            got = len(connection.recv(65536))
            if not got:
                raise ConnectionResetError
            left -= got
    return time.monotonic() - start


def test_latency_is_per_way_and_not_per_piece(line: Line) -> None:
    line.latency = 0.2
    assert 0.4 <= round_trip(line, 1_000_000) < 1.5


def test_a_slow_line_carries_its_bytes_a_second(line: Line) -> None:
    line.bytes_per_second = 1_000_000
    assert round_trip(line, 500_000) >= 0.45


def test_a_cut_line_ends_its_connections_and_refuses_others_until_it_is_mended(line: Line) -> None:
    line.bytes_per_second = 500_000
    cutter = threading.Thread(target=lambda: (line.wait_for(UP, 100_000, seconds=10), line.cut()))
    cutter.start()
    with pytest.raises(OSError):  # noqa: PT011 - a reset or a broken pipe
        round_trip(line, 2_000_000)
    cutter.join()
    with pytest.raises(OSError):  # noqa: PT011
        round_trip(line, 10)
    line.mend()
    assert round_trip(line, 10) < 5


def test_a_line_that_is_half_open_accepts_and_forwards_nothing_until_it_is_mended(line: Line) -> None:
    line.holds = True
    threading.Timer(0.5, line.mend).start()
    assert round_trip(line, 10) >= 0.45
