"""A line between one site and its server that a test can cut, slow down, hold and reset."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self

CHUNK = 64 * 1024  # bytes that are read at once
ON_THE_WAY = 64  # pieces that a line holds at most
Way = asyncio.Queue[tuple[float, bytes]]  # when a piece arrives, and the piece
UP, DOWN = "up", "down"  # from the site to the server, and back


class Line:
    """A TCP proxy on loopback, in a thread of its own.

    Args:
        target: the server's port.

    Attributes:
        port: where the site connects.
        usual: bytes a second of each direction of each connection if there is no fault; None means no limit.
        bytes_per_second: the same at this moment.
        latency: seconds that data is on the way.
        holds: whether connections are accepted but nothing is forwarded (a line that is half open).
        is_cut: whether connections are refused.
        passed: bytes that have passed, by direction.
    """

    def __init__(self, target: int) -> None:
        self._target, self.port = target, 0
        self.usual: float | None = None
        self.bytes_per_second: float | None = None
        self.latency = 0.0
        self.holds = self.is_cut = False
        self.passed = {UP: 0, DOWN: 0}
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server: asyncio.Server = self._do(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self.is_cut = True
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        found: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return found.result(30)

    def reset(self) -> int:
        """Ends all connections with a TCP reset, and returns their number."""
        return int(self._do(self._reset()))

    def cut(self) -> None:
        """Ends all connections and refuses new ones, until :meth:`mend`."""
        self.is_cut = True
        self.reset()

    def mend(self) -> None:
        """Lets everything pass again, as usual."""
        self.is_cut = self.holds = False
        self.bytes_per_second, self.latency = self.usual, 0.0

    def wait_for(self, direction: str, size: int, *, seconds: float) -> None:
        """Waits until so many further bytes have passed in a direction.

        Raises:
            TimeoutError: if they have not.
        """
        start, deadline = self.passed[direction], time.monotonic() + seconds
        while self.passed[direction] - start < size:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.passed[direction] - start} of {size} bytes passed {direction}")
            time.sleep(0.005)

    async def _stop(self) -> None:
        self._server.close()
        await self._reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reset(self) -> int:
        writers = list(self._open)
        for writer in writers:
            plain = writer.get_extra_info("socket")
            if plain is not None and plain.fileno() >= 0:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._open.clear()
        return len(writers) // 2

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self.is_cut:
                raise ConnectionRefusedError
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:  # the server does not listen yet
            writer.transport.abort()
            return
        self._open |= {writer, forth}
        for source, sink, direction in ((reader, forth, UP), (back, writer, DOWN)):
            task = self._loop.create_task(self._forward(source, sink, direction))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: str) -> None:
        way: Way = asyncio.Queue(maxsize=ON_THE_WAY)
        arriving = self._loop.create_task(self._arrive(way, sink, direction))
        free = self._loop.time()
        try:
            while data := await source.read(CHUNK):
                free = max(free, self._loop.time()) + len(data) / (self.bytes_per_second or float("inf"))
                await way.put((free + self.latency, data))
                await asyncio.sleep(max(0.0, free - self._loop.time()))
            await way.put((free, b""))
            await arriving
        except OSError:
            pass
        finally:
            arriving.cancel()
            self._open.discard(sink)
            sink.close()

    async def _arrive(
        self, way: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, direction: str
    ) -> None:
        """Hands on what is on the way when its time has come."""
        try:
            while True:
                due, data = await way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                while self.holds:
                    await asyncio.sleep(0.05)
                if not data:
                    return
                sink.write(data)
                await sink.drain()
                self.passed[direction] += len(data)
        except OSError:
            return


def until(is_true: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Waits until something is true, and returns the seconds that it took.

    Raises:
        TimeoutError: naming what did not come.
    """
    start = time.monotonic()
    while not is_true():
        if time.monotonic() > start + seconds:
            raise TimeoutError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - start
