from __future__ import annotations

from typing import Any

import pytest
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.flare.server.ballot import Ballot
from fedaid.flare.server.gate import RefusedAnswer
from fedaid.flare.wire.messages import metrics_to_shareable
from fedaid.flare.wire.tasks import MetricsMessage

RECALLS = {"recall_at_1": 0.1, "recall_at_5": 0.2, "recall_at_10": 0.3, "batch_accuracy": 0.25}
VALID = RECALLS | {"loss": 1.0}


def answer(round_number: int = 2, **splits: Any) -> Shareable:
    return metrics_to_shareable(MetricsMessage(round_number, splits or {"valid": VALID, "test": RECALLS}))


@pytest.fixture
def ballot() -> Ballot:
    return Ballot(2, ["site-a", "site-b"])


def test_a_sound_answer_is_taken(ballot: Ballot) -> None:
    ballot.take("site-a", answer())
    assert ballot.answers == {"site-a": {"valid": VALID, "test": RECALLS}}
    assert ballot.refused == {}


def test_a_test_split_may_be_too_small_for_a_loss_or_absent(ballot: Ballot) -> None:
    ballot.take("site-a", answer(valid=VALID, test=RECALLS))
    ballot.take("site-b", answer(valid=VALID))


def test_the_pairs_of_a_site_bound_its_loss() -> None:
    ballot = Ballot(2, ["site-a", "site-b"], pairs={"site-a": 60, "site-b": 1000})
    ballot.take("site-b", answer(valid=VALID | {"loss": 17.0}))
    with pytest.raises(RefusedAnswer, match=r"metric loss must be at most 16\.6355 nats"):
        ballot.take("site-a", answer(valid=VALID | {"loss": 17.0}))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (answer(1), "another round"),
        (answer(test=RECALLS), "valid"),
        (answer(valid=VALID, train=VALID), "valid and test only"),
        (answer(valid=RECALLS), "metric loss is missing"),
        (answer(valid={"loss": 1.0}), "metric recall_at_1 is missing"),
        (answer(valid=VALID, test={"loss": 1.0}), "metric recall_at_1 is missing"),
        (answer(valid={name: value for name, value in VALID.items() if name != "batch_accuracy"}), "batch_accuracy is"),
        (answer(valid=VALID | {"loss": float("nan")}), "metric loss must be a finite number"),
        (answer(valid=VALID | {"recall_at_5": 1000.0}), "metric recall_at_5 must be at most 1"),
        (answer(valid=VALID, test=RECALLS | {"batch_accuracy": 1.01}), "metric batch_accuracy must be at most 1"),
        (answer(valid=VALID | {"loss": 1e6}), "metric loss must be at most 33.2711 nats"),
        (answer(valid=VALID, test=RECALLS | {"loss": 34.0}), "metric loss must be at most 33.2711 nats"),
        (make_reply(ReturnCode.OK), "hold a DXO"),
        (Shareable(), "hold a DXO"),
    ],
)
def test_an_unsound_answer_is_refused_with_site_and_reason(ballot: Ballot, message: Shareable, reason: str) -> None:
    with pytest.raises(RefusedAnswer, match=r"^metrics of site"):
        ballot.take("site-a", message)
    assert ballot.answers == {}
    assert ballot.refused["site-a"].startswith("metrics of site site-a refused: ")
    assert reason in ballot.refused["site-a"]


def test_a_second_answer_and_a_stranger_are_refused(ballot: Ballot) -> None:
    ballot.take("site-a", answer())
    with pytest.raises(RefusedAnswer, match=r"^metrics of site"):
        ballot.take("site-a", answer(valid=VALID | {"loss": 9.0}))
    with pytest.raises(RefusedAnswer, match=r"^metrics of site"):
        ballot.take("site-x", answer())
    assert ballot.answers["site-a"]["valid"]["loss"] == 1.0
    assert list(ballot.answers) == ["site-a"]
