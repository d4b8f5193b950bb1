from __future__ import annotations

import json

import pytest

from fedaid.flare.server import progress
from fedaid.flare.server.progress import RunProgress


def test_a_run_begins_without_a_guess_of_what_remains() -> None:
    state = RunProgress(5).as_dict()
    assert (state["phase"], state["current_round"], state["num_rounds"]) == ("start", 0, 5)
    assert state["remaining"] is None


def test_phase_round_losses_and_weights_are_told() -> None:
    run = RunProgress(5)
    run.enter("align", 2)
    run.measured({"site-a": 1.5}, {"site-a": 1.0})
    state = run.as_dict()
    assert (state["phase"], state["current_round"]) == ("align", 2)
    assert (state["site_losses"], state["site_weights"]) == ({"site-a": 1.5}, {"site-a": 1.0})
    assert json.loads(json.dumps(state)) == state


def test_what_remains_follows_from_the_rounds_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 140.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    run = RunProgress(5)
    run.enter("align", 4)
    state = run.as_dict()
    assert (state["elapsed"], state["remaining"]) == (40.0, 10.0)


def test_the_number_of_rounds_may_show_on_the_way() -> None:
    run = RunProgress(1)
    run.plan(4)
    assert run.as_dict()["num_rounds"] == 4
