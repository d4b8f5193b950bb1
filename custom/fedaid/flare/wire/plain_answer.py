"""The last check of what leaves a site: plain JSON and arrays of numbers.

FLARE encodes other objects at the site, but decoding them would end the server's process of the job.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import ReservedHeaderKey, Shareable

from fedaid.flare.wire.messages import UPDATE
from fedaid.flare.wire.replies import error_reply

DEEPEST = 20  # levels of dictionaries and lists
PLAIN = (str, bool, int, float, type(UPDATE))  # the last is FLARE's own kind of data, which it decodes
NUMBERS = "fiub"  # kinds of numpy types
LONGEST_KEY = 80  # characters of a place in an error
HEADERS = ReservedHeaderKey.HEADERS


def checked(answer: Shareable, *, headers: bool = False) -> Shareable:
    """The answer itself, or an error reply that names the first key whose value is not plain.

    Args:
        answer: of this site.
        headers: whether the headers are checked, too; FLARE adds objects of its own to them before it sends the answer.
    """
    content = {key: value for key, value in answer.items() if headers or key != HEADERS}
    found = next(faults(content, ""), None)
    if found is None:
        return answer
    place, kind = found
    text = f"{place[:LONGEST_KEY]} must be plain JSON or an array of numbers, got {kind}: answer of this site"
    return error_reply(ReturnCode.EXECUTION_RESULT_ERROR, text)


def check_filtered(event: str, fl_ctx: FLContext) -> None:
    """Makes an answer an error reply, in place, if the filters of the site have put in what is not plain.

    FLARE cannot encode some objects, such as functions; its process at the site would end. FLARE's event after the last
    filter has the answer, but cannot exchange it.
    """
    answer = fl_ctx.get_prop(FLContextKey.TASK_RESULT) if event == EventType.AFTER_TASK_RESULT_FILTER else None
    if not isinstance(answer, Shareable):
        return
    reply = checked(answer, headers=True)
    if reply is not answer:
        answer.clear()
        answer.update(reply)


def faults(value: Any, place: str, *, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Each place in a message whose value is not plain, and the type of that value."""
    if depth > DEEPEST:
        yield place, "too many levels"
    elif type(value) is dict:
        for key, inner in value.items():
            if type(key) is not str:
                yield f"a key of {place or 'the answer'}", type(key).__name__
            else:
                yield from faults(inner, f"{place}.{key}" if place else key, depth=depth + 1)
    elif type(value) in (list, tuple):
        for number, inner in enumerate(value):
            yield from faults(inner, f"{place}[{number}]", depth=depth + 1)
    elif type(value) is np.ndarray:
        if value.dtype.kind not in NUMBERS:
            yield place, f"an array of {value.dtype.name}"
    elif value is not None and type(value) not in PLAIN:
        yield place, type(value).__name__
