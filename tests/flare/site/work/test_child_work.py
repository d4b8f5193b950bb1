"""A site that trains in a child of its job's process."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Timer
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from fedaid.flare.site.work.abort import Abort
from fedaid.flare.site.work.child_work import ChildWork
from fedaid.flare.site.work.serve_work import Served
from fedaid.flare.site.work.site_work import Trained
from fedaid.flare.site.work.training_process import TrainingProcess
from fedaid.flare.wire.messages import metrics_from_shareable
from fedaid.flare.wire.replies import ERROR_HEADER, error_reason
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE, RunStamp, UpdateMessage
from fedaid.training.processes.torchrun import python_path
from tests.flare.site.asked_site import Site, same, update_of

STATE: dict[str, Any] = {"moon_weight": 1.0, "local_normalisation": True, "report_student_loss": True}


@pytest.fixture
def child(site: Site) -> Iterator[Site]:
    """A site with all kept state that trains in a child."""
    site.settings = replace(site.settings, **STATE, training_process="child", threads=1)
    site.restart()
    yield site
    site.executor.handle_event(EventType.END_RUN, site.context)


def own_process(site: Site) -> None:
    """The site trains in this process, and has not worked yet."""
    site.executor.handle_event(EventType.END_RUN, site.context)
    site.settings = replace(site.settings, training_process="same")
    site.restart()


def pid_of(site: Site) -> int:
    work = site.executor._work
    assert isinstance(work, ChildWork)
    return work.process.pid


def kill_idle(site: Site) -> None:
    work = site.executor._work
    os.kill(pid_of(site), signal.SIGKILL)
    while work is not None and work.alive:
        time.sleep(0.01)


def asked(site: Site, task: str, number: int, *, run: str, trained: int = -1) -> Shareable:
    """The answer to a task of a run."""
    last = {site.context.get_identity_name(): trained} if trained >= 0 else {}
    ideal = {name: np.asarray(tensor, np.float32) for name, tensor in site.ideal.items()}
    about = {"run": RunStamp(run, 1), "trained": last}
    return site.ask(task, ideal if task == PRETRAIN else None, round_number=number, **about)


def a_round(site: Site, number: int, *, run: str, trained: int = -1) -> list[UpdateMessage]:
    answers = [update_of(asked(site, task, number, run=run, trained=trained)) for task in (ALIGN, PRETRAIN)]
    site.sent()
    return answers


def assert_same(one: list[UpdateMessage], other: list[UpdateMessage]) -> None:
    for here, there in zip(one, other, strict=True):
        assert here.delta.keys() == there.delta.keys()
        assert same(here, there)
        assert (here.metrics, here.pairs, here.skipped) == (there.metrics, there.pairs, there.skipped)


def test_the_rounds_of_a_child_have_the_bits_of_those_in_the_jobs_process(child: Site) -> None:
    found = [*a_round(child, 0, run="x"), *a_round(child, 1, run="x", trained=0)]
    last = metrics_from_shareable(asked(child, VALIDATE, 2, run="x"))
    assert pid_of(child) != os.getpid()
    own_process(child)
    assert_same(found, [*a_round(child, 0, run="y"), *a_round(child, 1, run="y", trained=0)])
    assert last == metrics_from_shareable(asked(child, VALIDATE, 2, run="y"))
    assert "student_loss" in found[2].metrics


def test_a_child_killed_in_a_step_costs_its_site_that_round_and_killed_between_tasks_nothing(
    child: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_round(child, 0, run="x")
    kill_idle(child)
    missed = [update_of(asked(child, ALIGN, 1, run="x", trained=0))]
    say = TrainingProcess._say

    def say_and_kill(process: TrainingProcess, message: dict[str, Any]) -> None:
        say(process, message)
        if message.get("do") == "pretrain":
            os.kill(process.pid, signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingProcess, "_say", say_and_kill)
        reply = asked(child, PRETRAIN, 1, run="x")
    assert (reply.get_return_code(), error_reason(reply)) == (ReturnCode.EXECUTION_EXCEPTION, "killed")
    assert reply.get_header(ERROR_HEADER).startswith(
        "pretrain: the training process ended (signal 9, SIGKILL, perhaps out of memory)."
    )
    last = a_round(child, 2, run="x", trained=0)
    own_process(child)
    assert_same(first, a_round(child, 0, run="y"))
    assert_same(missed, [update_of(asked(child, ALIGN, 1, run="y", trained=0))])
    assert_same(last, a_round(child, 2, run="y", trained=0))


def test_an_abort_ends_the_task_and_not_the_child(child: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.flare.site.work.training_process.GRACE", 60.0)  # a busy machine is slow
    child.settings = replace(child.settings, align_steps=100_000)
    child.restart()
    asked(child, VALIDATE, 0, run="x")
    before = pid_of(child)
    Timer(1.0, child.abort.trigger, [True]).start()
    assert asked(child, ALIGN, 0, run="x").get_return_code() == ReturnCode.TASK_ABORTED
    child.abort = Signal()
    assert metrics_from_shareable(asked(child, VALIDATE, 0, run="x")).splits["valid"]["loss"] > 0
    assert pid_of(child) == before
    child.executor.handle_event(EventType.END_RUN, child.context)
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [
        ("fedaid.flare.site.executor", {"torch", "monai", "transformers"}),
        ("fedaid.flare.site.evaluation_tasks", {"torch", "monai", "transformers"}),
        ("fedaid.flare.site.local_training", {"torch", "monai", "transformers"}),
        ("fedaid.flare.site.work.serve_work", {"nvflare"}),
    ],
)
def test_the_jobs_process_loads_no_torch_and_its_child_no_flare(module: str, unloaded: set[str]) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    command, environment = [sys.executable, "-P", "-c", code], os.environ | {"PYTHONPATH": python_path()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert {"fedaid", "numpy"} <= set(done.stdout.split())
    assert not unloaded & set(done.stdout.split())


def test_what_a_phase_did_not_move_is_not_written_to_the_disk() -> None:
    moved, still = np.ones(3, np.float32), np.zeros((2, 2), np.float32)
    work = SimpleNamespace(student=None, align=lambda **_: Trained({"still": still, "moved": moved}, {"loss": 1.0}))
    served = Served(Abort(), io.BytesIO())
    served._work = work  # type: ignore[assignment]
    told, found = served.do("align", {}, {"round_number": 0})
    assert list(found) == ["moved"]
    assert told["value"] == {"metrics": {"loss": 1.0}, "still": ["still"]}
