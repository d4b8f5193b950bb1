from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from admin.study.compare.judge import Hits
from admin.study.compare.summary import summarise


def hits(found: list[int]) -> dict[str, Any]:
    return Hits(np.arange(len(found)), np.array(found), np.array(found), np.ones(len(found))).as_json()


def result(weights: float, *, best: int = 0, **tests: list[int]) -> dict[str, Any]:
    """Of a run of three rounds whose first model is the best but for one after ``best`` rounds, which finds nothing."""
    models = {0: {name: hits(found) for name, found in tests.items()}}
    models |= {best: {name: hits([0] * len(found)) for name, found in tests.items()}} if best else {}
    return {
        "trial": {"sites": {"a": "", "b": ""}, "held_out": {"others": ""}},
        "models": {"global": {str(number): tested for number, tested in models.items()}},
        "curves": {
            "global": [{"round": 0, "site_weights": {"a": 0.5, "b": 0.5}}]
            + [{"round": n, "site_weights": {"a": weights, "b": 1 - weights}} for n in (1, 2, 3)]
        },
        "seconds": 3.0,
        "rounds": 3,
    }


@pytest.fixture
def summary() -> dict[str, dict[str, Any]]:
    base = [result(0.5, a=[1, 0, 0, 0], b=[1, 1, 0, 0], others=[0, 0, 0, 1]) for _ in range(2)]
    better = [result(w, a=[1, 1, 0, 0], b=[1, 1, 1, 0], others=[0, 0, 1, 1]) for w in (0.6, 0.8)]
    return summarise({"fedavg": base, "fedaid": better}, draws=200)


def test_mean_and_worst_are_over_the_sites_and_not_over_the_held_out(summary: dict[str, dict[str, Any]]) -> None:
    assert summary["fedavg"]["mean_recall_at_5"] == 37.5
    assert summary["fedavg"]["worst_recall_at_5"] == 25
    assert summary["fedavg"]["held_out"]["others"]["mid"] == 25


def test_differences_are_paired_with_the_base(summary: dict[str, dict[str, Any]]) -> None:
    apart = summary["fedaid"]["difference_to_fedavg"]
    assert apart["mean"]["mid"] == apart["worst"]["mid"] == 25
    assert apart["sites"]["b"]["mid"] == apart["held_out"]["others"]["mid"] == 25
    assert apart["mean"]["low"] >= 0, "on no draw of the patients is the base better"
    assert "difference_to_fedavg" not in summary["fedavg"]


def test_methods_are_told_apart_from_each_base_that_was_run() -> None:
    worse, better = (result(0.5, a=[1, one], b=[1, one], others=[1]) for one in (0, 1))
    found = {"fedavg": [worse], "fedaid": [better]}
    summary = summarise(found, bases=("fedavg", "fedaid", "moon"), draws=5)
    assert summary["fedavg"]["difference_to_fedaid"]["mean"]["mid"] == -50
    assert summary["fedaid"]["difference_to_fedavg"]["mean"]["mid"] == 50
    assert [key for one in summary.values() for key in one if "moon" in key] == []


def test_the_interval_is_given_for_mean_and_worst(summary: dict[str, dict[str, Any]]) -> None:
    interval = summary["fedaid"]["interval"]
    assert set(interval) == {"mean", "worst"}
    assert interval["mean"][0] < summary["fedaid"]["mean_recall_at_5"] < interval["mean"][1]


def test_site_weights_are_told_by_mean_and_most(summary: dict[str, dict[str, Any]]) -> None:
    assert summary["fedaid"]["site_weights"]["a"] == {"mean": 0.6333, "most": 0.8}


def test_the_largest_weight_after_the_third_round_leaves_out_what_the_first_three_and_the_next_would_have() -> None:
    run = result(0.9, a=[1], b=[1], others=[1]) | {"rounds": 5}
    weights = [0.5, 0.9, 0.9, 0.6, 0.7, 0.95]  # of rounds 1 to 5, and what a sixth would have had
    run["curves"] = {
        "global": [{"round": n, "site_weights": {"a": weight, "b": 1 - weight}} for n, weight in enumerate(weights)]
    }
    found = summarise({"fedaid": [run]}, draws=5)["fedaid"]["site_weights"]["a"]
    assert found == {"mean": 0.72, "most": 0.9, "most_after_third": 0.7}


def test_of_more_rounds_than_are_asked_for_the_model_chosen_by_then_is_told() -> None:
    runs = {"fedavg": [result(0.75, best=2, a=[1, 1], b=[1, 1], others=[1])]}
    every, first, none = (
        summarise(runs, rounds=rounds, draws=5)["fedavg"] for rounds in (None, {"fedavg": 1}, {"fedavg": 0})
    )
    assert (every["mean_recall_at_5"], every["rounds"], every["seconds"]) == (0, 3, 3.0)
    assert (first["mean_recall_at_5"], first["rounds"], first["seconds"]) == (100, 1, 1.0)
    assert [one["site_weights"]["a"]["mean"] for one in (every, first)] == [0.6667, 0.5], (
        "of rounds, not of what follows"
    )
    assert none["site_weights"] == {}


def test_the_calibration_error_is_the_mean_over_runs_of_the_models_chosen_by_then() -> None:
    runs = [result(0.5, best=2, a=[1], b=[1], others=[1]) for _ in range(2)]
    for number, run in enumerate(runs):
        for chosen, tested in run["models"]["global"].items():
            tested["a"]["calibration"] = 10.0 + number + 50 * (chosen == "0")
    late, early = (summarise({"fedavg": runs}, rounds=rounds, draws=5)["fedavg"] for rounds in (None, {"fedavg": 1}))
    assert (late["calibration_error"], early["calibration_error"]) == ({"a": 10.5}, {"a": 60.5})


def test_runs_are_resampled_so_that_seeds_that_differ_widen_the_interval() -> None:
    runs = [result(0.5, a=[found] * 9, b=[found] * 9, others=[1]) for found in (0, 1)]
    assert summarise({"fedavg": runs}, draws=200)["fedavg"]["interval"]["mean"] == [0, 100]


def test_chance_is_told_of_each_site_and_how_many_studies_were_tested_in_all() -> None:
    found = summarise({"fedaid": [result(0.5, a=[0] * 10, b=[0] * 20, others=[1])] * 2}, draws=5)
    assert found["fedaid"]["chance"] == {"a": 50, "b": 25}
    assert found["fedaid"]["tested"] == 60


def test_without_the_base_no_difference_is_told() -> None:
    alone = summarise({"fedaid": [result(0.5, a=[1], b=[1], others=[1])]}, draws=5)
    assert list(alone) == ["fedaid"]
    assert not any(name.startswith("difference") for name in alone["fedaid"])
