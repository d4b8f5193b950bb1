from __future__ import annotations

from enum import Enum
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.wire.messages import update_to_shareable
from fedaid.flare.wire.plain_answer import check_filtered, checked
from fedaid.flare.wire.replies import REASON_HEADER, error_reason, error_reply, error_text
from fedaid.flare.wire.tasks import UpdateMessage
from tests.flare.wire_link import Server, Site


class Colour(Enum):
    RED = 1


def answer() -> Shareable:
    update = UpdateMessage(0, {"w": np.ones(2, np.float32), "n": np.array(1)}, {"loss": 1.0}, 10, {"unreadable": 1})
    return update_to_shareable(update)


NOT_PLAIN: dict[str, tuple[str, Any, str]] = {
    "an enum": ("meta", Colour.RED, "DXO.meta.x must be plain JSON or an array of numbers, got Colour"),
    "an enum in a list": ("meta", [1, {"y": Colour.RED}], "DXO.meta.x[1].y must"),
    "bytes": ("meta", b"x", "DXO.meta.x must be plain JSON or an array of numbers, got bytes"),
    "a path": ("meta", Path("/secret"), "DXO.meta.x must"),
    "a scalar of numpy": ("meta", np.float32(1), "DXO.meta.x must"),
    "a key that is a number": ("meta", {1: 2}, "a key of DXO.meta.x must"),
    "objects": (
        "data",
        np.array([{}, None], object),
        "DXO.data.x must be plain JSON or an array of numbers, got an ar",
    ),
    "texts": ("data", np.array(["a"]), "DXO.data.x must"),
    "a masked array": ("data", np.ma.masked_array(np.zeros(2)), "DXO.data.x must"),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_what_is_not_plain_becomes_an_error_with_its_key(case: str) -> None:
    part, value, text = NOT_PLAIN[case]
    message = answer()
    message["DXO"][part]["x"] = value
    reply = checked(message)
    assert reply.get_return_code() == ReturnCode.EXECUTION_RESULT_ERROR
    assert error_text(reply).startswith(text)
    assert "secret" not in error_text(reply)


def test_a_loop_in_the_answer_comes_to_an_end() -> None:
    message = answer()
    message["DXO"]["meta"]["x"] = message["DXO"]["meta"]
    assert "too many levels" in error_text(checked(message))


def test_a_plain_answer_and_an_error_pass_unchanged() -> None:
    for message in (answer(), error_reply(ReturnCode.BAD_TASK_DATA, "no data")):
        assert checked(message) is message


def test_what_a_filter_of_the_site_puts_in_does_not_leave(tmp_path: Path) -> None:
    server, site = Server(), Site("a", tmp_path / "a")
    site.receive(server.send(server.broadcast({"w": np.zeros(2, np.float32)}), site))
    spoilt = answer()
    spoilt["DXO"]["meta"]["x"] = Colour.RED
    reply = site.encoder.process(spoilt, site.ctx)
    assert error_text(reply).startswith("DXO.meta.x must")


@pytest.mark.parametrize(("given", "found"), [("killed", "killed"), ("late\nand more", ""), (np.ones(2), ""), (1, "")])
def test_a_site_can_only_give_a_reason_of_the_closed_list(given: object, found: str) -> None:
    reply = error_reply(ReturnCode.EXECUTION_EXCEPTION, "align: x")
    reply.set_header(REASON_HEADER, given)
    assert error_reason(reply) == found


SPOILT: dict[str, Any] = {
    "a function": lambda: None,
    "a set": {1},
    "10,000 levels": reduce(lambda inner, _: [inner], range(10_000), []),
}


@pytest.mark.parametrize("case", SPOILT)
def test_after_the_last_filter_of_the_site_the_answer_is_made_an_error_in_place(case: str, fl_ctx: FLContext) -> None:
    message = answer()
    message["DXO"]["meta"]["x"] = SPOILT[case]
    fl_ctx.set_prop(FLContextKey.TASK_RESULT, message, private=True, sticky=False)
    check_filtered(EventType.BEFORE_TASK_RESULT_FILTER, fl_ctx)
    assert message.get_return_code() == ReturnCode.OK
    check_filtered(EventType.AFTER_TASK_RESULT_FILTER, fl_ctx)
    assert error_text(message).startswith("DXO.meta.x")
    assert "DXO" not in message


def test_after_the_last_filter_headers_are_checked_and_a_plain_answer_stays(fl_ctx: FLContext) -> None:
    message = answer()
    fl_ctx.set_prop(FLContextKey.TASK_RESULT, message, private=True, sticky=False)
    check_filtered(EventType.AFTER_TASK_RESULT_FILTER, fl_ctx)
    assert "DXO" in message
    message.set_header("x", Colour.RED)
    check_filtered(EventType.AFTER_TASK_RESULT_FILTER, fl_ctx)
    assert "got Colour" in error_text(message)
