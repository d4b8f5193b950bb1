"""A site that takes no part in the rounds and evaluates the best model at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable, make_reply

from fedaid.errors import InputError
from fedaid.flare.server.controller import FedAIDController
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE

Make = Callable[..., Any]
UNSEEN = "site-c"


def results(made: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made.store / "results.json").read_text())
    return found


def final(made: Any) -> bytes:
    content: bytes = (made.persistor.open_store.newest.folder / "model.safetensors").read_bytes()
    return content


def asked_of(made: Any, site: str) -> list[str]:
    return [task for task, asked in made.communicator.asked if asked == site]


def test_the_unseen_site_is_asked_for_an_evaluation_only(federation: Make) -> None:
    made = federation(min_clients=2, unseen_site=UNSEEN)
    made.run()
    assert made.engine.panics == []
    assert asked_of(made, UNSEEN) == [VALIDATE], "once, at the end"
    assert {*asked_of(made, "site-a")} == {ALIGN, PRETRAIN, VALIDATE}


def test_its_metrics_are_apart_and_choose_nothing(federation: Make) -> None:
    made = federation(min_clients=2, unseen_site=UNSEEN)
    made.run()
    found = results(made)
    assert list(found["unseen"]) == [UNSEEN]
    assert found["unseen"][UNSEEN]["test"]["recall_at_5"] >= 0
    for part in ("best", "last", "site_weights", "pairs"):
        assert set(found[part]) == {"site-a", "site-b"}, part
    assert "absent" not in found or found["absent"] == []


@pytest.mark.parametrize("alignment_phase", [True, False])
def test_the_model_is_to_the_bit_that_of_a_federation_without_the_site(
    federation: Make, honest: Make, alignment_phase: bool
) -> None:
    settings = {"min_clients": 2, "alignment_phase": alignment_phase}
    two = federation(
        {site: honest(site, loss) for site, loss in (("site-a", 1.0), ("site-b", 2.0))}, **settings, run_name="two"
    )
    three = federation(**settings, unseen_site=UNSEEN, run_name="three")
    for made in (two, three):
        made.run()
        assert made.engine.panics == []
    assert final(two) == final(three)
    assert "unseen" in results(three)
    assert "unseen" not in results(two)


def test_a_name_that_is_not_connected_stops_the_run_before_anything_is_sent(federation: Make) -> None:
    made = federation(min_clients=2, unseen_site="site-x")
    made.run()
    (panic,) = made.engine.panics
    assert panic.startswith("unseen_site must be a site that is connected, got site-x")
    assert made.communicator.asked == []


def test_min_clients_counts_the_sites_that_train(federation: Make) -> None:
    made = federation(min_clients=3, unseen_site=UNSEEN)
    made.run()
    assert made.engine.panics[0].startswith("min_clients must be at most the 2 sites of the run, got 3")


def test_a_run_whose_unseen_site_fails_is_finished_without_its_numbers(federation: Make, honest: Make) -> None:
    def failing(task: str, shareable: Shareable) -> Shareable:
        return make_reply(ReturnCode.EXECUTION_EXCEPTION)

    answers = {"site-a": honest("site-a", 1.0), "site-b": honest("site-b", 2.0), UNSEEN: failing}
    made = federation(answers, min_clients=2, unseen_site=UNSEEN)
    made.run()
    assert made.engine.panics == []
    found = results(made)
    assert found["unseen"] == {UNSEEN: {}}
    assert set(found["best"]) == {"site-a", "site-b"}
    assert any("the unseen site has no result: site site-c could not work" in line for line in found["warnings"])


@pytest.mark.parametrize("value", [None, 3, ["site-c"]])
def test_another_kind_of_name_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^unseen_site must be a name, got .*config_fed_server\.json"):
        FedAIDController(min_clients=2, num_rounds=2, unseen_site=value)
