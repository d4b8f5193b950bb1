"""What a site sends beyond its egress ledger, message by message.

Every message is either small, as FLARE's own questions and heartbeats are, or a line of the ledger accounts for it. So
a payload that is added to each message shows, however many messages there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nvflare.fuel.f3.streaming.stream_const import STREAM_ACK_TOPIC, STREAM_CHANNEL, STREAM_DATA_TOPIC

from tests.deploy.message_line import Passed

STREAM = f"{STREAM_CHANNEL}/{STREAM_DATA_TOPIC}"
SMALL = 1024  # bytes of a stream without an update or metrics; a question for a task has 890 at most
HEADERS = 1280  # bytes of FLARE's headers of a message; up to 1,217 were seen
OTHERS = 512  # bytes of a message that is no stream; a heartbeat has 445
LARGEST: Mapping[str, int] = {f"{STREAM_CHANNEL}/{STREAM_ACK_TOPIC}": 0, "admin/admin": 1024}
"""Kind → bytes, where it differs from :data:`OTHERS`."""
LINE, TENSOR, NAMES = 2500, 145, 2
"""Bytes around the tensors of an update: for itself, for each tensor, and for each letter of a name, which is sent
twice. Updates of two sizes needed 2,400, 142 and 2, whatever their bytes: 1 kB more in each update shows."""


def accounted(line: Mapping[str, Any]) -> int:
    """The bytes that one line of the ledger accounts for, with what FLARE puts around tensors."""
    names = line.get("keys") or []
    return int(line.get("bytes", 0)) + LINE + TENSOR * len(names) + NAMES * sum(map(len, names))


def unaccounted(messages: Sequence[Passed], lines: Iterable[Mapping[str, Any]]) -> int:
    """The bytes in large streams that no line accounts for; negative if the lines leave room."""
    streams = Counter[str]()
    for one in messages:
        if one.kind == STREAM:
            streams[one.stream] += one.content
    return sum(size for size in streams.values() if size > SMALL) - sum(map(accounted, lines))


def too_large(messages: Sequence[Passed]) -> list[str]:
    """The kinds of messages, or of their headers, that are larger than FLARE's own, each once with its largest size."""
    found: dict[str, int] = {}
    for one in messages:
        limit = LARGEST.get(one.kind, OTHERS)
        if one.kind != STREAM and one.content > limit:
            found[one.kind] = max(found.get(one.kind, 0), one.content)
        if one.headers > HEADERS:
            found[f"headers of {one.kind}"] = max(found.get(f"headers of {one.kind}", 0), one.headers)
    return [f"{kind}: {size} bytes" for kind, size in sorted(found.items())]
