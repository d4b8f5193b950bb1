"""Requests for arrays that outlast a cut of the line."""

from __future__ import annotations

import time
from copy import copy
from typing import Any

from nvflare.fuel.f3.cellnet.cell import Cell
from nvflare.fuel.f3.cellnet.defs import MessageHeaderKey, ReturnCode
from nvflare.fuel.f3.message import Message

from fedaid.flare.transport.array_blocks import ASKED

FIRST_WAIT = 20.0  # seconds without a byte of the answer; twice as long after TRIES, so that a slow line suffices
TRIES = 2  # with one wait: after a cut, a request that was sent just before the line came back is lost, too
PAUSE = 2.0  # seconds after an error
PATIENCE = 300.0  # seconds without an answer; as long as FLARE keeps a message for its receivers
LOST = (ReturnCode.TIMEOUT, ReturnCode.COMM_ERROR, ReturnCode.TARGET_UNREACHABLE)


class AskingCell:
    """A cell of FLARE whose first request for arrays says that this process can read blocks.

    FLARE 2.9.0 gives up when the line is cut, and waits ten minutes for an answer that was lost. Here a request is sent
    again: the state in it says what has arrived, so the sender makes the same answer.
    """

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def send_request(self, *, request: Message, timeout: float = PATIENCE, **options: Any) -> Message:
        """Sends a request until there is an answer; a sender without blocks ignores the extra field."""
        request.payload.setdefault("state", {ASKED: 0})
        end, silences = time.monotonic() + PATIENCE, 0
        while True:
            wait = min(FIRST_WAIT * 2 ** (silences // TRIES), timeout)
            sent = Message(copy(request.headers), request.payload)  # FLARE encodes a message in place
            reply = self._cell.send_request(request=sent, timeout=wait, **options)
            code = reply.get_header(MessageHeaderKey.RETURN_CODE)
            if code not in LOST or time.monotonic() > end or is_aborted(options):
                return reply
            silences += code == ReturnCode.TIMEOUT
            time.sleep(PAUSE)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cell, name)

    def __eq__(self, other: object) -> bool:
        return bool(other == self._cell)

    def __hash__(self) -> int:
        """The hash of the cell, since FLARE looks up cells by it."""
        return hash(self._cell)


def is_aborted(options: dict[str, Any]) -> bool:
    """Whether the abort signal of a request, if it has one, is triggered."""
    signal = options.get("abort_signal")
    return bool(signal and signal.triggered)
