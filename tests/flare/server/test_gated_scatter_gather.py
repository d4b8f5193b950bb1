from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from nvflare.apis.client import Client
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.app_common.app_constant import AppConstants
from nvflare.widgets.info_collector import GroupInfoCollector, InfoCollector

from fedaid.flare.server.ballot import Ballot
from fedaid.flare.server.gate import BelowQuorum, Gate
from fedaid.flare.wire.messages import model_from_shareable, update_from_shareable
from fedaid.flare.wire.replies import ERROR_HEADER, OUT_OF_MEMORY, error_reply
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE
from fedaid.models.tensor_names import is_alignment

Make = Callable[..., Any]


def error(text: Any = "data_root must be set") -> Callable[[str, Shareable], Shareable]:
    return lambda task, shareable: make_reply(ReturnCode.BAD_TASK_DATA, {ERROR_HEADER: text})


def silent(task: str, shareable: Shareable) -> None:
    return None


def empty(task: str, shareable: Shareable) -> Shareable:
    return make_reply(ReturnCode.OK)


@pytest.fixture
def collect(federation: Make, theta: dict[str, NDArray[Any]]) -> Make:
    """A function of the sites' answers that runs one alignment phase of round 0, and of the phase: updates, metrics."""

    def run(answers: Any, *, phase: str = ALIGN, min_clients: int = 2) -> tuple[Any, Any]:
        made = federation(answers, min_clients=min_clients, wait_time_after_min_received=0)
        made.start()
        controller = made.controller
        controller._current_round = 0
        task = controller.task(phase, theta, 0)
        if phase == VALIDATE:
            return made, controller.collect_metrics(task, Ballot(0, controller.sites()), made.fl_ctx)
        alignment = {name: tensor for name, tensor in theta.items() if is_alignment(name)}
        gate = controller.gate(phase, alignment, sites=controller.sites(), needs=("loss",))
        made.aggregator.open(gate, alignment)
        return made, controller.collect_updates(task, made.fl_ctx)

    return run


@pytest.mark.parametrize("phase", [ALIGN, VALIDATE])
def test_answers_come_in_the_order_of_site_names(phase: str, collect: Make, honest: Make) -> None:
    _, answers = collect({site: honest(site) for site in ("site-c", "site-a", "site-b")}, phase=phase, min_clients=3)
    assert list(answers) == ["site-a", "site-b", "site-c"]


@pytest.mark.parametrize("phase", [ALIGN, VALIDATE])
@pytest.mark.parametrize("useless", [error(), empty], ids=["error", "no answer in it"])
def test_a_reply_without_an_answer_does_not_end_the_wait_for_another_site(
    useless: Any, phase: str, collect: Make, honest: Make
) -> None:
    _, answers = collect({"site-a": useless, "site-b": honest("site-b"), "site-c": honest("site-c")}, phase=phase)
    assert list(answers) == ["site-b", "site-c"]


@pytest.mark.parametrize("phase", [ALIGN, VALIDATE])
def test_enough_answers_end_the_wait(phase: str, collect: Make, honest: Make) -> None:
    made, answers = collect({site: honest(site) for site in ("site-a", "site-b", "site-c")}, phase=phase)
    assert list(answers) == ["site-a", "site-b"]
    assert len(made.communicator.asked) == 2


@pytest.mark.parametrize("phase", [ALIGN, VALIDATE])
def test_replies_that_are_no_answers_do_not_make_a_quorum(phase: str, collect: Make, honest: Make) -> None:
    with pytest.raises(BelowQuorum) as stop:
        collect({"site-a": error(), "site-b": honest("site-b"), "site-c": empty}, phase=phase)
    text = str(stop.value)
    assert f"{phase} must have the answers of 2 sites (min_clients), got 1: round 0. The model is unchanged." in text
    assert "site site-a could not work: data_root must be set" in text
    assert "of site site-c" in text
    assert "message must hold a DXO" in text


def test_silence_is_told_as_such(collect: Make) -> None:
    with pytest.raises(BelowQuorum, match=r"site site-a gave no answer in time \| site site-b gave no answer in time"):
        collect({"site-a": silent, "site-b": silent})


def test_an_error_without_a_text_is_told_by_its_code(collect: Make) -> None:
    def failed(task: str, shareable: Shareable) -> Shareable:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION)

    with pytest.raises(BelowQuorum, match="site site-a could not work: EXECUTION_EXCEPTION"):
        collect({"site-a": failed, "site-b": error(["no", "text"])})


def test_a_long_error_of_a_site_is_cut(collect: Make) -> None:
    with pytest.raises(BelowQuorum) as stop:
        collect({"site-a": error("x" * 100_000), "site-b": silent})
    assert len(str(stop.value)) < 1000


def test_want_of_memory_at_a_site_is_told_as_such(collect: Make) -> None:
    def failed(task: str, shareable: Shareable) -> Shareable:
        return error_reply(ReturnCode.EXECUTION_EXCEPTION, "align: out of memory", reason=OUT_OF_MEMORY)

    with pytest.raises(BelowQuorum, match=r"site site-a could not work \(out_of_memory\): align: out of memory"):
        collect({"site-a": failed, "site-b": silent})


def test_an_error_of_a_site_cannot_pass_for_a_line_of_the_log(collect: Make) -> None:
    with pytest.raises(BelowQuorum) as stop:
        collect({"site-a": error("no data\n2026-11-24 INFO all is well\x1b[2K"), "site-b": silent})
    assert "no data 2026-11-24 INFO all is well [2K" in str(stop.value)


def test_an_error_reply_that_carries_an_update_is_not_taken(collect: Make, honest: Make) -> None:
    def both(task: str, shareable: Shareable) -> Shareable:
        reply: Shareable = honest("site-a")(task, shareable)
        reply.set_return_code(ReturnCode.EXECUTION_EXCEPTION)
        return reply

    for phase in (ALIGN, VALIDATE):
        with pytest.raises(BelowQuorum):
            collect({"site-a": both, "site-b": honest("site-b")}, phase=phase)


def test_a_late_result_is_refused(collect: Make, honest: Make, theta: dict[str, NDArray[Any]]) -> None:
    made, _ = collect({site: honest(site) for site in ("site-a", "site-b", "site-c")})
    made.controller._phase = AppConstants.PHASE_TRAIN
    gate = Gate(phase=PRETRAIN, round_number=0, template=theta, sites=["site-c"], run=made.controller.stamp)
    made.aggregator.open(gate, theta)  # even a phase that would take it
    late = honest("site-c")(PRETRAIN, made.controller.task(PRETRAIN, theta, 0).data)
    made.controller.process_result_of_unknown_task(Client("site-c", "token"), PRETRAIN, "id", late, made.fl_ctx)
    assert gate.accepted == {}
    gate.accept("site-c", update_from_shareable(late))  # the gate would have let it in


def test_fewer_sites_than_the_quorum_are_not_asked(collect: Make, honest: Make) -> None:
    with pytest.raises(BelowQuorum, match="got 0"):
        collect({"site-a": honest("site-a")}, min_clients=2, phase=VALIDATE)


def test_a_task_carries_what_a_site_needs(federation: Make, theta: dict[str, NDArray[Any]]) -> None:
    made = federation()
    made.start()
    message = model_from_shareable(made.controller.task(ALIGN, theta, 4).data)
    assert message.round_number == 4
    assert message.configuration["image_size"] == 32
    assert all(np.array_equal(message.tensors[name], tensor) for name, tensor in theta.items())


def test_what_is_loaded_by_the_start_is_left_out_of_each_rounds_garbage_collection(federation: Make) -> None:
    gc.unfreeze()
    try:
        federation().start()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()


def test_the_check_period_reaches_the_communicator(federation: Make) -> None:
    communicator = WFCommServer()
    federation().controller.set_communicator(communicator)
    assert communicator._task_check_period == 0.05


def test_statistics_hold_the_progress_of_the_run(federation: Make) -> None:
    made = federation()
    made.start()
    collector = GroupInfoCollector()
    made.controller.progress.enter("align", 1)
    made.fl_ctx.set_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR, collector, sticky=False)
    made.controller.handle_event(InfoCollector.EVENT_TYPE_GET_STATS, made.fl_ctx)
    (info,) = collector.info.values()
    assert (info["phase"], info["current_round"], info["num_rounds"]) == ("align", 1, 2)
