"""Closes FLARE's other ways out of a job process: messages beside answers, and streams of objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nvflare.apis.fl_constant import ReservedTopic
from nvflare.apis.shareable import ReservedHeaderKey, Shareable
from nvflare.private.defs import CellChannel

# FLARE's own messages between job processes; they have no content beside headers.
OPEN_TOPICS = (
    ReservedTopic.SYNC_RUNNER,
    ReservedTopic.JOB_HEART_BEAT,
    ReservedTopic.TASK_CHECK,
    ReservedTopic.MSG_ROOT_DELETED,
)
SEND, MULTICAST = "_send_to_cell", "multicast_aux_requests"  # the two methods of FLARE 2.9.0 that send
CLOSED = "hospital_policy_closed"  # attribute of a runner that is closed


def close_channels(runner: Any, note: Callable[[str], None]) -> None:
    """Makes FLARE's runner of other messages send its own ones only, without content; every other one is dropped.

    Args:
        runner: ``AuxRunner`` of the job process; all streams use it, too.
        note: is called with the reason for each message that is dropped.

    Raises:
        AttributeError: if this FLARE sends in another way.
    """
    if getattr(runner, CLOSED, False):
        return
    send = getattr(runner, SEND)
    getattr(runner, MULTICAST)  # must exist, so that it can be closed

    def send_own(*arguments: Any, **named: Any) -> Any:
        topic, request = named.get("topic"), named.get("request")
        own = not arguments and named.get("channel") == CellChannel.AUX_COMMUNICATION and topic in OPEN_TOPICS
        if not own or not is_empty(request):
            note(f"message {str(topic)[:80]}")
            return {}
        return send(**named)

    def multicast_none(*arguments: Any, **named: Any) -> Mapping[str, Any]:
        note("messages to several receivers")
        return {}

    setattr(runner, SEND, send_own)
    setattr(runner, MULTICAST, multicast_none)
    setattr(runner, CLOSED, True)


def is_empty(request: object) -> bool:
    """Whether a message has headers of plain short values only."""
    if not isinstance(request, Shareable) or set(request) - {ReservedHeaderKey.HEADERS}:
        return False
    headers = request.get(ReservedHeaderKey.HEADERS, {})
    return len(headers) <= 20 and all(
        isinstance(value, (bool, int, float)) or value is None or (isinstance(value, str) and len(value) <= 200)
        for name, value in headers.items()
        if name != ReservedHeaderKey.PEER_PROPS  # FLARE sets them when it sends
    )
