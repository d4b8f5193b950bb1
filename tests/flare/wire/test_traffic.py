from __future__ import annotations

from collections.abc import Callable

import numpy as np
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.flare.wire.messages import message_bytes, metrics_to_shareable, update_to_shareable
from fedaid.flare.wire.tasks import MetricsMessage, UpdateMessage
from fedaid.flare.wire.traffic import Traffic


def event(traffic: Traffic, fl_ctx: FLContext, kind: str, message: object, *, task: str, round_number: int = 0) -> None:
    key = FLContextKey.TASK_DATA if kind == EventType.AFTER_TASK_DATA_FILTER else FLContextKey.TASK_RESULT
    fl_ctx.set_prop(key, message, private=True, sticky=False)
    fl_ctx.set_prop(FLContextKey.TASK_NAME, task, private=True, sticky=False)
    traffic.note(kind, fl_ctx, round_number=round_number)


def update(floats: int) -> Shareable:
    return update_to_shareable(UpdateMessage(0, {"a": np.zeros(floats, np.float32)}, {}, 1, {}))


def test_a_message_is_its_arrays_and_the_json_beside_them() -> None:
    assert message_bytes(update(1000)) - message_bytes(update(0)) == 4000
    assert 10 < message_bytes(update(0)) < 100


def test_metrics_count_as_json() -> None:
    assert 10 < message_bytes(metrics_to_shareable(MetricsMessage(0, {"valid": {"loss": 1.0}}))) < 100


def test_a_key_that_is_no_text_does_not_keep_a_message_from_being_counted() -> None:
    odd = update(1000)
    odd["DXO"]["meta"] = {("a", 1): 2}
    assert message_bytes(odd) >= 4000


def test_an_error_reply_has_no_bytes() -> None:
    assert message_bytes(make_reply("EXECUTION_EXCEPTION")) == 0


def test_bytes_are_kept_by_round_task_and_direction_over_all_sites(fl_ctx: FLContext) -> None:
    traffic, size = Traffic(), message_bytes(update(10))
    for _ in range(3):
        event(traffic, fl_ctx, EventType.AFTER_TASK_DATA_FILTER, update(10), task="align")
        event(traffic, fl_ctx, EventType.BEFORE_TASK_RESULT_FILTER, update(10), task="align")
    event(traffic, fl_ctx, EventType.BEFORE_TASK_RESULT_FILTER, update(10), task="pretrain", round_number=1)
    assert traffic.bytes == {
        "0": {"align": {"down": 3 * size, "up": 3 * size}},
        "1": {"pretrain": {"down": 0, "up": size}},
    }
    assert traffic.describe(1) == f"round 1, bytes of all sites: pretrain down 0, pretrain up {size}"


def test_other_events_and_empty_ones_count_nothing(
    fl_ctx: FLContext, make_update: Callable[..., UpdateMessage]
) -> None:
    traffic = Traffic()
    event(traffic, fl_ctx, EventType.BEFORE_TASK_DATA_FILTER, update(10), task="align")
    event(traffic, fl_ctx, EventType.AFTER_TASK_DATA_FILTER, None, task="align")
    assert traffic.bytes == {}


def test_what_was_read_does_not_change_later(fl_ctx: FLContext) -> None:
    traffic = Traffic()
    event(traffic, fl_ctx, EventType.AFTER_TASK_DATA_FILTER, update(1), task="align")
    before = traffic.bytes
    event(traffic, fl_ctx, EventType.AFTER_TASK_DATA_FILTER, update(1), task="align")
    assert before != traffic.bytes
