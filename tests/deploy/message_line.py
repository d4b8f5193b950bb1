"""A proxy between one site and its server that has the keys of both ends, and so sees each message of FLARE.

It ends TLS with the server's certificate, and begins it again with the site's. Nobody else has both keys.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp
import msgpack  # type: ignore[import-untyped]
from aiohttp import web
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.drivers.aio_http_driver import MAX_FRAME_SIZE, WS_PATH
from nvflare.fuel.f3.sfm.prefix import PREFIX_LEN, Prefix
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey

TRANSPORT = "transport"  # FLARE's own frames: greeting, ping


class Passed(NamedTuple):
    """One message from the site.

    Attributes:
        kind: FLARE's channel and topic.
        content: bytes without the headers of FLARE, WebSocket and TLS.
        headers: bytes of FLARE's headers.
        stream: sender and number of the stream that a large content is a part of; empty for any other message.
    """

    kind: str
    content: int
    headers: int
    stream: str = ""


class MessageLine:
    """A proxy on loopback, in a thread of its own.

    Args:
        target: the server's port.

    Attributes:
        port: where the site connects.
        passed: the messages from the site, in their order.
    """

    def __init__(self, target: int) -> None:
        self._target, self.port = target, 0
        self.passed: list[Passed] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def open(self, server_kit: Path, site_kit: Path) -> None:
        """Listen with the server's certificate; what comes goes on with the site's."""
        here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        here.verify_mode = ssl.CERT_REQUIRED
        self._context.check_hostname = False
        for context, kit, name in ((here, server_kit, "server"), (self._context, site_kit, "client")):
            context.load_verify_locations(kit / "startup" / "rootCA.pem")
            context.load_cert_chain(kit / "startup" / f"{name}.crt", kit / "startup" / f"{name}.key")
        self._do(self._listen(here))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        found: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return found.result(30)

    async def _listen(self, context: ssl.SSLContext) -> None:
        app = web.Application(client_max_size=MAX_FRAME_SIZE)
        app.router.add_get(f"/{WS_PATH}", self._accept)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=MAX_FRAME_SIZE)
        await near.prepare(request)
        url = f"wss://127.0.0.1:{self._target}/{WS_PATH}"
        with suppress(aiohttp.ClientError):  # the server does not listen yet
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(url, ssl=self._context, max_msg_size=MAX_FRAME_SIZE) as far,
            ):
                ways = [self._forward(near, far, note=True), self._forward(far, near, note=False)]
                tasks = [self._loop.create_task(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
        await near.close()
        return near

    async def _forward(self, source: Any, sink: Any, *, note: bool) -> None:
        async for message in source:
            if message.type != aiohttp.WSMsgType.BINARY:
                return
            if note:
                self.passed.append(read(message.data))
            await sink.send_bytes(message.data)


def read(frame: bytes) -> Passed:
    """What a frame of FLARE is, and how much it holds."""
    prefix = Prefix.from_bytes(frame)
    start = PREFIX_LEN + prefix.header_len
    headers: dict[str, Any] = msgpack.unpackb(frame[PREFIX_LEN:start]) if prefix.header_len else {}
    channel, topic = (headers.get(key) for key in (MessageHeaderKey.CHANNEL, MessageHeaderKey.TOPIC))
    kind = f"{channel}/{topic}" if channel else TRANSPORT
    number = headers.get(StreamHeaderKey.STREAM_ID)
    stream = f"{headers.get(MessageHeaderKey.ORIGIN)}/{number}" if number else ""
    return Passed(kind, len(frame) - start, start, stream)
