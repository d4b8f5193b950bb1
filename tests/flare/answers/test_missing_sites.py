"""Whole runs in one process with a site that is silent, fails, or sends what nobody can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReservedKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.bcast_manager import _KEY_WAIT_TIME_AFTER_MIN_RESPS
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.flare.store.missed_phases import MissedPhase, missed_of
from fedaid.flare.transport.site_requests import ASKING_SITE, REFUSED_REQUEST, REQUEST_TEXT
from fedaid.flare.wire.replies import error_reply
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE
from tests.flare.conftest import Federation

Make = Callable[..., Federation]
LOSSES = {"site-a": 1.0, "site-b": 2.0, "site-c": 3.0}
WAIT = 600


def results(made: Federation) -> Any:
    return json.loads((made.store / "results.json").read_text())


def silent(task: str, shareable: Shareable) -> None:
    return None


class Waits:
    """The waits of a run's phases: how long each would wait for others after its last reply, in seconds."""

    def __init__(self, made: Federation) -> None:
        self.found: list[tuple[str, int]] = []
        broadcast = made.communicator.broadcast_and_wait

        def watched(task: Any, *options: Any) -> None:
            broadcast(task, *options)
            everyone = all(sent.result_received_time for sent in task.client_tasks)
            self.found.append((task.name, 0 if everyone else task.props[_KEY_WAIT_TIME_AFTER_MIN_RESPS]))

        made.communicator.broadcast_and_wait = watched  # type: ignore[method-assign]


@pytest.fixture
def answers(honest: Any) -> dict[str, Any]:
    return {site: honest(site, loss) for site, loss in LOSSES.items()}


def without_c(answers: dict[str, Any]) -> dict[str, Any]:
    """The other sites; with a site-c before them, that site is asked first."""
    return {site: answer for site, answer in answers.items() if site != "site-c"}


def test_a_silent_site_costs_one_wait(federation: Make, answers: Any) -> None:
    made = federation({"site-c": silent} | without_c(answers), num_rounds=4, wait_time_after_min_received=WAIT)
    waits = Waits(made)
    made.run()
    assert made.engine.panics == []
    assert [wait for task, wait in waits.found if task == ALIGN] == [WAIT, 0, 0, 0]
    assert {wait for task, wait in waits.found if task == PRETRAIN} == {0}
    assert {wait for task, wait in waits.found if task == VALIDATE} == {0}
    assert made.communicator.asked.count((ALIGN, "site-c")) == 4, "it is asked each round"


def test_a_job_of_one_task_a_round_waits_once_too(federation: Make, answers: Any) -> None:
    settings = {"num_rounds": 3, "alignment_phase": False, "wait_time_after_min_received": WAIT}
    made = federation(answers | {"site-c": silent}, **settings)
    waits = Waits(made)
    made.run()
    assert [wait for task, wait in waits.found if task == TRAIN] == [WAIT, 0, 0]


def test_a_site_that_answers_again_takes_part_and_counts(federation: Make, answers: Any) -> None:
    asked: list[str] = []

    def now_and_then(task: str, shareable: Shareable) -> Any:
        asked.append(task)
        return None if asked.count(ALIGN) in (1, 3) and task == ALIGN else answers["site-c"](task, shareable)

    # site-c comes first: it is alive when the others answer
    made = federation({"site-c": now_and_then} | without_c(answers), num_rounds=4, wait_time_after_min_received=WAIT)
    waits = Waits(made)
    made.run()
    took_part = [sorted(entry["train"]) for entry in results(made)["history"]]
    assert ["site-c" in sites for sites in took_part] == [False, True, False, True]
    assert [wait for task, wait in waits.found if task == ALIGN] == [WAIT, 0, WAIT, 0], (
        "each absence is waited for once"
    )


def test_who_missed_what_is_in_the_results(federation: Make, answers: Any) -> None:
    def failing(task: str, shareable: Shareable) -> Any:
        reply = error_reply(ReturnCode.EXECUTION_EXCEPTION, "the process ran out of memory", reason="out_of_memory")
        return reply if task == PRETRAIN else answers["site-b"](task, shareable)

    made = federation(answers | {"site-b": failing, "site-c": silent}, min_clients=1, num_rounds=2)
    made.run()
    found = results(made)
    expected = [
        entry
        for number in (0, 1)
        for entry in (
            MissedPhase(number, ALIGN, "site-c", "silent"),
            MissedPhase(number, PRETRAIN, "site-b", "out_of_memory", "the process ran out of memory"),
        )
    ]
    assert missed_of(found)[:4] == expected
    assert missed_of(found)[4:] == [MissedPhase(2, VALIDATE, "site-c", "silent")] * (len(found["missed"]) - 4)
    assert found["retries"] == []


def test_a_run_without_a_fault_has_missed_nothing(federation: Make) -> None:
    made = federation(min_clients=3)
    made.run()
    assert (results(made)["missed"], results(made)["retries"]) == ([], [])


def model_of(made: Federation) -> bytes:
    return bytes((made.persistor.open_store.newest.folder / "model.safetensors").read_bytes())


@pytest.mark.parametrize("phase", [ALIGN, PRETRAIN])
def test_a_phase_below_quorum_is_tried_again_with_the_same_bits(phase: str, federation: Make, answers: Any) -> None:
    failed: list[str] = []

    def fails_once(task: str, shareable: Shareable) -> Any:
        if task == phase and not failed:
            failed.append(task)
            return make_reply(ReturnCode.EXECUTION_EXCEPTION)
        return answers["site-b"](task, shareable)

    whole = federation(answers, min_clients=3)
    whole.run()
    made = federation(answers | {"site-b": fails_once}, min_clients=3)
    made.run()
    assert made.engine.panics == []
    assert model_of(made) == model_of(whole)
    assert results(made)["history"] == results(whole)["history"]
    assert results(made)["retries"] == [{"round": 0, "phase": phase, "sites": ["site-b"]}]
    assert results(made)["missed"] == []
    asked = made.communicator.asked
    assert [asked.count((phase, site)) for site in LOSSES] == [2, 3, 2], "only the missing site works twice"


def test_the_second_try_is_the_same_message(federation: Make, answers: Any) -> None:
    roots: list[str] = []

    made = federation(answers | {"site-c": silent}, min_clients=3, num_rounds=1)
    broadcast = made.communicator.broadcast_and_wait

    def watched(task: Any, *options: Any) -> None:
        roots.append(task.msg_root_id)
        broadcast(task, *options)

    made.communicator.broadcast_and_wait = watched  # type: ignore[method-assign]
    made.run()
    assert len(roots) == 2
    assert len(set(roots)) == 1, "the encoder of int8 takes another message for a new version of the model"


def test_below_quorum_after_a_second_try_the_run_stops_and_says_how_to_go_on(federation: Make, answers: Any) -> None:
    def failing(task: str, shareable: Shareable) -> Shareable:
        return error_reply(ReturnCode.BAD_TASK_DATA, "data_root must be set")

    made = federation(answers | {"site-b": failing, "site-c": silent}, min_clients=2)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("align must have the answers of 2 sites (min_clients), got 1: round 0. ")
    assert "site site-b could not work: data_root must be set | site site-c gave no answer in time." in panic
    assert panic.endswith("python -m admin run JOB --kit KIT, or submit the same job again.")
    assert made.communicator.asked.count((ALIGN, "site-a")) == 1
    assert made.communicator.asked.count((ALIGN, "site-b")) == 2
    assert not made.run_store.exists() or not [*made.run_store.glob("round-*")], "nothing is committed"


def test_a_site_that_missed_the_first_phase_is_named_when_the_second_has_too_few(
    federation: Make, answers: Any
) -> None:
    def fails_later(task: str, shareable: Shareable) -> Any:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION) if task == PRETRAIN else answers["site-b"](task, shareable)

    made = federation(answers | {"site-b": fails_later, "site-c": silent}, min_clients=2)
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("pretrain must have the answers of 2 sites")
    assert "site site-c gave no answer in time" in panic


def test_an_answer_that_breaks_the_receiver_is_a_refusal(
    federation: Make, answers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = federation(answers, min_clients=2, num_rounds=1)
    accept = made.aggregator.accept

    def broken(shareable: Shareable, fl_ctx: FLContext) -> bool:
        if fl_ctx.get_prop("fedaid_authenticated_site") == "site-a":
            raise KeyError("whatever a site has sent")
        return bool(accept(shareable, fl_ctx))

    monkeypatch.setattr(made.aggregator, "accept", broken)
    made.run()
    assert made.engine.panics == []
    assert missed_of(results(made))[0] == MissedPhase(0, ALIGN, "site-a", "refused", "it cannot be read (KeyError)")
    assert sorted(results(made)["history"][0]["train"]) == ["site-b", "site-c"]


@pytest.mark.parametrize("code", [ReturnCode.TASK_UNKNOWN, ReturnCode.UNSAFE_JOB, ReturnCode.RUN_MISMATCH, "nonsense"])
def test_a_fatal_code_of_one_site_puts_that_site_out(code: str, federation: Make, answers: Any) -> None:
    made = federation(answers | {"site-a": lambda task, shareable: make_reply(code)}, min_clients=2, num_rounds=1)
    made.run()
    assert made.engine.panics == []
    assert missed_of(results(made))[0] == MissedPhase(0, ALIGN, "site-a", "error", code)


def test_a_silent_site_that_asks_for_a_task_is_waited_for_again(federation: Make, answers: Any) -> None:
    made = federation(answers | {"site-c": silent}, num_rounds=2, wait_time_after_min_received=WAIT)
    waits = Waits(made)
    made.start()
    controller = made.controller
    controller._current_round = 0
    peer = FLContext()
    peer.set_prop(ReservedKey.IDENTITY_NAME, "site-c", private=False)
    context = made.communicator.contexts.new_context()
    context.set_peer_context(peer)
    for _ in range(2):
        task = controller.task(TRAIN, {}, 0)
        controller.send_to(controller.sites(), task, made.fl_ctx, receive=lambda *_: True)
        controller.handle_event(EventType.BEFORE_PROCESS_TASK_REQUEST, context)
    assert [wait for _, wait in waits.found] == [WAIT, WAIT]


def test_a_lost_connection_stops_a_run_that_cannot_have_its_quorum_by_name(federation: Make, answers: Any) -> None:
    made = federation(answers, min_clients=3, num_rounds=1)

    def lost(task: str, shareable: Shareable) -> None:
        made.communicator.process_dead_client_report("site-c", made.fl_ctx)
        made.communicator._dead_clients["site-c"].disconnect_time = 1.0
        context = made.communicator.contexts.new_context()
        context.set_prop(FLContextKey.DISCONNECTED_CLIENT_NAME, "site-c")
        made.controller.handle_event(EventType.CLIENT_DISCONNECTED, context)

    made.communicator.answers = {"site-c": lost}
    made.run()
    assert made.engine.panics[0].startswith("run must have 3 connected sites (min_clients), got 2: the connection to ")
    assert "site site-c is lost. To continue the run: python -m admin run" in made.engine.panics[0]


def test_a_site_that_ends_itself_with_an_event_is_named_with_it(federation: Make, answers: Any) -> None:
    def ends(task: str, shareable: Shareable) -> None:
        made.fl_ctx.set_prop(ASKING_SITE, "site-c", private=True, sticky=False)
        made.fl_ctx.set_prop(REQUEST_TEXT, "it sent event x", private=True, sticky=False)
        made.controller.handle_event(REFUSED_REQUEST, made.fl_ctx)

    made = federation({**answers, "site-c": ends}, num_rounds=1)
    made.run()
    missed = missed_of(results(made))
    assert missed[0] == MissedPhase(0, ALIGN, "site-c", "silent", "it sent event x")
