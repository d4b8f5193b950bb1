from __future__ import annotations

from typing import Any

from admin.study.compare.summary_table import table

APART = {"worst": {"low": -1.0, "mid": 5.0, "high": 11.0}, "mean": {"low": 0.5, "mid": 1.0, "high": 1.5}}


def summary(worst: float, mean: float, **more: Any) -> dict[str, Any]:
    found = {"worst_recall_at_5": worst, "mean_recall_at_5": mean, "rounds": 12, "sites": {"a": {}, "b": {}}}
    bounds = {"worst": [worst - 1, worst + 1], "mean": [mean - 1, mean + 1]}
    return {**found, "interval": bounds, "held_out": {}, "chance": {"a": 5.0, "b": 7.0}, **more}


def test_a_table_has_the_best_worst_site_first_and_the_base_without_a_difference() -> None:
    held_out = {"others": {"low": 29.0, "mid": 30.0, "high": 31.0}}
    errors = {"a": 6.0, "b": 8.0, "others": 50.0}
    better = summary(25, 41, difference_to_fedavg=APART, held_out=held_out, rounds=11, calibration_error=errors)
    lines = table("twin", {"fedavg": summary(20, 40), "fedaid": better}).splitlines()
    assert lines[0] == "| twin | worst site | mean | held out | worst − fedavg | mean − fedavg | ECE | rounds |"
    apart = "+5.0 (-1.0 to +11.0) | +1.0 (+0.5 to +1.5)"
    assert lines[2] == f"| `fedaid` | 25.0 (24.0 to 26.0) | 41.0 (40.0 to 42.0) | 30.0 | {apart} | 7.0 | 11 |"
    assert lines[3] == "| `fedavg` | 20.0 (19.0 to 21.0) | 40.0 (39.0 to 41.0) | – | – | – | – | 12 |"
    assert lines[4] == "| a blind guess | 5.0 | 6.0 | – | – | – | – | – |"


def test_a_table_of_nothing_says_so() -> None:
    assert table("twin", {}) == "twin: no method has a result"
