"""What left beside the ledger shows, with sizes that were seen at the proxy; and the proxy counts what passes it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgpack  # type: ignore[import-untyped]
import pytest
from aiohttp import web
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey
from nvflare.fuel.f3.sfm.prefix import PREFIX_LEN, Prefix
from nvflare.fuel.f3.streaming.stream_const import StreamHeaderKey

from tests.admin.federation.made_certificates import made
from tests.deploy.message_line import MessageLine, Passed, read
from tests.deploy.traffic import STREAM, accounted, too_large, unaccounted

ALIGN = {"bytes": 55_496, "keys": ["n" * 43] * 39 + ["n" * 58]}  # 1,735 letters
PRETRAIN = {"bytes": 642_829, "keys": ["n" * 58] * 90 + ["n" * 71]}  # 5,291 letters
METRICS = {"bytes": 875, "keys": ["test", "valid"]}
LINES: list[dict[str, Any]] = [ALIGN, PRETRAIN, ALIGN, PRETRAIN, METRICS]
SENT = (9_532, 57_466, 20_924, 647_763, 9_554, 57_466, 20_924, 647_763, 1_984)
QUESTIONS = (400,) * 33 + (632,) * 14 + (679,) * 5 + (839,) + (890,) * 105
Change = Callable[[list[Passed]], list[Passed]]


def honest() -> list[Passed]:
    """What the proxy saw of a job with two rounds, on 1 December 2026."""
    streams = [Passed(STREAM, size, 1_217, f"site/{number}") for number, size in enumerate(SENT + QUESTIONS, start=1)]
    return [*streams, *[Passed("task/heart_beat", 445, 877)] * 29, *[Passed("admin/admin", 465, 807)] * 26]


def grown(by: int, least: int, most: int = 10**9) -> Change:
    """A constant payload in each message of a size."""
    return lambda seen: [one._replace(content=one.content + by * (least <= one.content <= most)) for one in seen]


def test_an_honest_job_has_nothing_beside_its_ledger() -> None:
    assert unaccounted(honest(), LINES) <= 0
    assert too_large(honest()) == []


def test_larger_updates_in_several_pieces_have_the_same_around_them() -> None:
    larger = [one | {"bytes": one["bytes"] + 617_090} if one is not METRICS else one for one in LINES]
    pieces = [one._replace(content=one.content - 617_090) for one in honest() if one.content > 50_000]
    rest = [one for one in honest() if one.content <= 50_000]
    whole = [one._replace(content=2 * 617_090) for one in pieces]
    assert unaccounted([*rest, *pieces, *whole], larger) == unaccounted(honest(), LINES)


@pytest.mark.parametrize(
    "leak",
    [
        grown(500, 1_024),
        grown(1_000, 50_000),
        grown(200, 890, 890),
        grown(200, 0),
        lambda seen: [*seen, Passed(STREAM, 57_466, 1_217, "site/other")],
        lambda seen: [*seen, *[Passed(STREAM, 1_000, 1_217, "site/other")] * 20],
    ],
    ids=["each message of an update", "the tensors only", "each question", "every message", "an update", "in pieces"],
)
def test_what_is_sent_beside_the_ledger_shows_in_the_streams(leak: Change) -> None:
    assert unaccounted(leak(honest()), LINES) > 0


@pytest.mark.parametrize("kind", ["task/heart_beat", "admin/admin", "sm__STREAM/sm__ACK", "new/kind"])
def test_a_payload_in_a_small_message_or_in_headers_shows(kind: str) -> None:
    assert too_large([*honest(), Passed(kind, 1_100, 900)]) == [f"{kind}: 1100 bytes"]
    assert too_large([*honest(), Passed(kind, 0, 1_400)]) == [f"headers of {kind}: 1400 bytes"]


def test_a_line_without_an_answer_does_not_hide_more_than_it_states() -> None:
    assert accounted(METRICS) < 5_000
    assert unaccounted(honest(), LINES[:-2]) > 0


def frame(content: bytes, **headers: Any) -> bytes:
    """A frame as FLARE makes it."""
    packed = msgpack.packb(headers)
    buffer = bytearray(PREFIX_LEN)
    Prefix(PREFIX_LEN + len(packed) + len(content), len(packed), 1).to_buffer(buffer, 0)
    return bytes(buffer) + packed + content


def test_a_frame_is_read_as_flare_wrote_it() -> None:
    stream = {MessageHeaderKey.CHANNEL: "sm__STREAM", MessageHeaderKey.TOPIC: "sm__DATA", StreamHeaderKey.STREAM_ID: 7}
    stream[MessageHeaderKey.ORIGIN] = "site"
    found = read(frame(b"x" * 90, **stream))
    assert (found.kind, found.content, found.stream) == (STREAM, 90, "site/7")
    assert read(frame(b"", a=1)) == Passed("transport", 0, PREFIX_LEN + len(msgpack.packb({"a": 1})))


def test_the_proxy_hands_on_both_ways_and_counts_what_the_site_sends(tmp_path: Path) -> None:
    root = made("root")
    for kit, name in (("server", "server"), ("site", "client")):
        startup = tmp_path / kit / "startup"
        startup.mkdir(parents=True)
        root.write(startup / "rootCA.pem")
        made(kit, signer=root).write(startup / f"{name}.crt", startup / f"{name}.key")
    assert asyncio.run(echoed(tmp_path)) == [frame(b"one", a=1), frame(b"three", a=1)]


async def echoed(kits: Path) -> list[bytes]:
    """What a server that repeats everything answers through the proxy, which the site trusts."""
    app = web.Application()
    app.router.add_get("/f3", repeat)
    runner = web.AppRunner(app)
    await runner.setup()
    here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    here.load_cert_chain(kits / "server" / "startup" / "server.crt", kits / "server" / "startup" / "server.key")
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=here).start()
    site = kits / "site" / "startup"
    trusting = ssl.create_default_context(cafile=str(site / "rootCA.pem"))
    trusting.load_cert_chain(site / "client.crt", site / "client.key")
    try:
        with MessageLine(runner.addresses[0][1]) as line:
            line.open(kits / "server", kits / "site")
            async with aiohttp.ClientSession() as session:
                url = f"wss://localhost:{line.port}/f3"
                async with session.ws_connect(url, ssl=trusting) as socket:
                    answers = []
                    for content in (b"one", b"three"):
                        await socket.send_bytes(frame(content, a=1))
                        answers.append(bytes(await socket.receive_bytes(timeout=20)))
            assert [one.content for one in line.passed] == [3, 5]
            return answers
    finally:
        await runner.cleanup()


async def repeat(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_bytes(message.data)
    return socket
