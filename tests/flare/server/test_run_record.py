from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from fedaid.flare.server import run_record
from fedaid.flare.server.run_record import TRAINING, RunProgress, RunRecord
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.flare.wire.traffic import Traffic
from fedaid.minmax.site_weights import Move
from fedaid.training.site_worker import LocalUpdate
from fedaid.training.trainer import PhaseLosses

WEIGHTS = {"site-a": 0.4, "site-b": 0.6}
MOVE = Move("dual_step", {"site-a": 2.0, "site-b": 2.0}, {"site-a": 1.0}, {"site-a": 0.3, "site-b": 0.7}, True)


@pytest.fixture
def record(make_update: Callable[..., UpdateMessage]) -> RunRecord:
    """After two rounds; in the second, site-b's updates were refused."""
    record = RunRecord(Traffic())
    both = {"site-a": make_update(0), "site-b": make_update(1)}
    train = {site: make_update(metrics={"contrastive": 1.0, "binding": 0.0}) for site in both}
    record.aligned(0, both, WEIGHTS, move=MOVE, refused={})
    record.pretrained(train, {})
    record.aligned(1, {"site-a": both["site-a"]}, WEIGHTS, move=MOVE, refused={"site-b": "in align"})
    record.pretrained({"site-a": train["site-a"]}, {"site-c": "in pretrain"})
    return record


def test_there_is_one_entry_a_round(record: RunRecord) -> None:
    assert [entry["round"] for entry in record.history] == [0, 1]
    assert record.history[0]["valid"]["site-b"]["loss"] == 2.0
    assert record.history[0]["train"]["site-a"] == {"contrastive": 1.0, "binding": 0.0}
    assert record.history[0]["site_weights"] == WEIGHTS


def test_the_cause_of_a_move_is_kept_with_the_weights(record: RunRecord) -> None:
    assert record.history[0]["weight_move"] == {
        "rule": "dual_step",
        "losses": {"site-a": 2.0, "site-b": 2.0},
        "baselines": {"site-a": 1.0},
        "unprojected": {"site-a": 0.3, "site-b": 0.7},
        "cut_by_ball": True,
        "raised_by_floor": False,
        "taken_back": {},
    }


def test_refusals_of_both_phases_are_kept(record: RunRecord) -> None:
    assert record.history[0]["refused"] == {}
    assert record.history[1]["refused"] == {"site-b": "in align", "site-c": "in pretrain"}


def test_counts_of_a_site_that_fails_later_stay(record: RunRecord) -> None:
    assert record.pairs == {"site-a": 10, "site-b": 11}
    assert record.skipped["site-b"] == {"image-unreadable": 1}


def test_the_state_counts_the_rounds_that_the_model_was_trained_for(record: RunRecord) -> None:
    state = record.state(best_round=1)
    assert (state["round"], state["best_round"], state["site_weights"]) == (2, 1, WEIGHTS)
    assert json.loads(json.dumps(state, sort_keys=True, allow_nan=False)) == state


def test_the_weights_of_a_round_do_not_change_later(make_update: Callable[..., UpdateMessage]) -> None:
    weights, record = dict(WEIGHTS), RunRecord(Traffic())
    record.aligned(0, {"site-a": make_update()}, weights, move=MOVE, refused={})
    weights["site-a"] = 0.0
    assert record.history[0]["site_weights"] == WEIGHTS


def test_what_training_measures_is_known_by_name() -> None:
    assert set(TRAINING) == set(LocalUpdate({}, PhaseLosses()).metrics)


def test_a_round_of_one_task_tells_validation_and_training_apart(make_update: Callable[..., UpdateMessage]) -> None:
    measured = {"loss": 2.0, "recall_at_5": 0.3, "contrastive": 1.5, "student_loss": 1.9}
    updates, record = {"site-a": make_update(metrics=measured)}, RunRecord(Traffic())
    record.aligned(0, updates, WEIGHTS, move=MOVE, refused={})
    record.pretrained(updates, {})
    assert record.history[0]["valid"]["site-a"] == {"loss": 2.0, "recall_at_5": 0.3, "student_loss": 1.9}
    assert record.history[0]["train"]["site-a"] == {"contrastive": 1.5}


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
    monkeypatch.setattr(run_record.time, "monotonic", lambda: next(now))
    run = RunProgress(5)
    run.enter("align", 4)
    state = run.as_dict()
    assert (state["elapsed"], state["remaining"]) == (40.0, 10.0)


def test_the_number_of_rounds_may_show_on_the_way() -> None:
    run = RunProgress(1)
    run.expect(4)
    assert run.as_dict()["num_rounds"] == 4
