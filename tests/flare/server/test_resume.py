"""A run that is stopped at any instant and continued by another job ends with the bits of a run without a stop."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nvflare.app_common.app_event_type import AppEventType

from fedaid.flare.server import run_store
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE
from tests.flare.conftest import Federation

Make = Callable[..., Federation]
SITES = {"site-a": 1.0, "site-b": 2.0, "site-c": 3.0}
ROUNDS, NAME = 4, "run-one"
OF_RUN = ("best", "last", "best_round", "history", "pairs", "site_weights", "skipped", "round")


class Killed(BaseException):
    """The server's process is gone."""


@pytest.fixture
def job(tmp_path: Path, model_config: dict[str, Any], honest: Callable[..., Any]) -> Make:
    """A function that makes one job after another of the same run, or with another kit those of another run."""
    made = iter(range(100))

    def make(kit: str = "kit", answers: Any = None, **settings: Any) -> Federation:
        folder = tmp_path / f"job{next(made)}"
        (folder / "config").mkdir(parents=True)
        answers = answers or {site: honest(site, loss) for site, loss in SITES.items()}
        given = {"min_clients": 3, "num_rounds": ROUNDS, "run_name": NAME} | settings
        return Federation(folder, dict(model_config), answers, kit=tmp_path / kit, **given)

    return make


def ended(made: Federation) -> tuple[dict[str, Any], str]:
    """What a run ended with: its results, and one hash of the model, of the best model and of the optimizer."""
    assert made.engine.panics == []
    results = json.loads((made.store / "results.json").read_text())
    digest = hashlib.sha256()
    for file in sorted(made.store.glob("*/*.safetensors")):
        digest.update(f"{file.parent.name}/{file.name}".encode() + file.read_bytes())
    return {name: results[name] for name in OF_RUN}, digest.hexdigest()


def run_until_killed(made: Federation) -> None:
    """Runs a job that is killed: nothing is done after the kill; the kernel frees the lock."""
    with pytest.raises(Killed):
        made.start()
        made.controller.control_flow(made.engine.abort_signal, made.fl_ctx)
    if made.controller._lock:
        made.controller._lock.release()


def kill_at_event(event: str, round_number: int) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        fire = made.engine.fire_event

        def fired(name: str, fl_ctx: Any) -> None:
            if name == event and made.controller._current_round == round_number:
                raise Killed
            fire(name, fl_ctx)

        patch.setattr(made.engine, "fire_event", fired)

    return arm


def kill_at_answer(task: str, round_number: int, site: str) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        answer = made.communicator.answers[site]

        def asked(name: str, shareable: Any) -> Any:
            if name == task and made.controller._current_round == round_number:
                raise Killed
            return answer(name, shareable)

        made.communicator.answers = {**made.communicator.answers, site: asked}

    return arm


def kill_in_commit(call: str, nth: int) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    """Kills in a commit, at the n-th call of a function of the store."""

    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        owner: Any = {"rename": Path, "fsync": os, "rmtree": run_store.shutil}.get(call, run_store)
        original, left = getattr(owner, call), iter(range(nth, -1, -1))

        def called(*args: Any, **named: Any) -> Any:
            if next(left, -1) == 0:
                if call == "save_model":  # in the middle of the file
                    (args[0] / "model.safetensors").write_bytes(b"half")
                raise Killed
            return original(*args, **named)

        patch.setattr(owner, call, called)

    return arm


KILLS = {
    "round start": kill_at_event(AppEventType.ROUND_STARTED, 2),
    "after the first accepted answer": kill_at_answer(ALIGN, 2, "site-b"),
    "between the phases": kill_at_answer(PRETRAIN, 1, "site-a"),
    "before aggregation": kill_at_event(AppEventType.BEFORE_AGGREGATION, 2),
    "after aggregation": kill_at_event(AppEventType.AFTER_AGGREGATION, 2),
    "in the middle of the model's file": kill_in_commit("save_model", 3),
    "before the rename": kill_in_commit("rename", 1),
    "after the rename": kill_in_commit("damage", 1),
    "while old generations are removed": kill_in_commit("rmtree", 0),
    "after the commit": kill_at_event(AppEventType.ROUND_DONE, 2),
    "in the first round": kill_at_answer(PRETRAIN, 0, "site-c"),
    "in the final validation": kill_at_answer(VALIDATE, ROUNDS, "site-b"),
}


@contextmanager
def armed(kill: Any, made: Federation) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        kill(made, patch)
        yield


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_a_kill_at_any_instant_changes_no_bit_of_the_end(optimizer: str, job: Make) -> None:
    settings = {"server_optimizer": optimizer, "server_learning_rate": 0.1}
    whole = job("whole", **settings)
    whole.run()
    expected = ended(whole)
    for number, kill in enumerate(KILLS.values()):
        first = job(f"kit{number}", **settings)
        with armed(kill, first):
            run_until_killed(first)
        again = job(f"kit{number}", attempt=2, **settings)
        again.run()
        assert ended(again) == expected, list(KILLS)[number]
