from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.quality.data.twin import NOISY
from tests.benchmarks.quality.goals import needed, verdicts


def apart(mid: float, low: float, high: float) -> dict[str, float]:
    return {"low": low, "mid": mid, "high": high}


def judged(
    *,
    worst: dict[str, float],
    mean: dict[str, float],
    uniform: float = 1.0,
    honest: float = 0.0,
    noisy: float = 0.2,
) -> dict[str, Any]:
    """The summary of fedaid on any of the three sets."""
    sites = {NOISY: apart(-9.0, -10.0, -8.0), "honest": apart(honest, honest - 1, honest + 1)}
    difference = {"worst": worst, "mean": mean, "sites": sites, "held_out": {"others": apart(uniform, -5.0, 5.0)}}
    weights = {NOISY: {"mean": 0.1, "most": noisy}, **{f"site-{n}": {"mean": 0.2, "most": 0.9} for n in range(4)}}
    return {"fedaid": {"difference_to_fedavg": difference, "site_weights": weights, "tested": 100}}


def pretrained(**changes: Any) -> dict[str, Any]:
    """The summaries of all methods that are judged on pretrained towers; every goal is met by a little."""
    of = {"worst": 20.0, "fedavg": -2.0, "alone": -2.0, "gap": 0.5, "qfedavg": 0.0, "equal": 0.0} | changes
    binding = changes.get("binding", apart(2.0, 0.1, 4.0))
    other = apart(-1.0, -2.0, 0.0)
    sites = {"fedavg": apart(of["fedavg"], -5, 0), "alone": apart(of["alone"], -5, 0)}
    back = {"low": -binding["high"], "mid": -binding["mid"], "high": -binding["low"]}
    return {
        "pooled": {},
        "qfedavg": {"difference_to_fedaid": {"mean": apart(-of["qfedavg"], -1, 1)}},
        "fedavg_uniform": {"difference_to_fedaid": {"mean": apart(-of["equal"], -1, 1)}},
        "fedaid_no_binding": {"difference_to_fedaid": {"mean": other, "worst": back}},
        "fedaid": {
            "difference_to_fedavg": {"worst": apart(of["worst"], 1, 2), "sites": {"a": sites["fedavg"]}},
            "difference_to_alone": {"sites": {"a": sites["alone"]}},
            "gap_closed": {"mean": of["gap"]},
        },
    }


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"worst": 19.9}, [0]),
        ({"fedavg": -2.1}, [1]),
        ({"alone": -2.1}, [1]),
        ({"binding": apart(1.9, 0.1, 4.0)}, [2]),
        ({"binding": apart(9.0, -0.1, 18.0)}, [2]),
        ({"gap": 0.49}, [3]),
        ({"qfedavg": -0.1}, [4]),
        ({"equal": -0.1}, [5]),
    ],
)
def test_each_goal_of_pretrained_towers_is_judged_by_its_own_number(changes: dict[str, Any], missed: list[int]) -> None:
    found = verdicts({"pretrained": pretrained(**changes)})
    assert len(found) == 6
    assert [number for number, verdict in enumerate(found) if not verdict.met] == missed


@pytest.mark.parametrize(
    ("name", "changes", "met"),
    [
        ("twin", {}, [True, True, True]),
        ("twin", {"worst": apart(7.9, 5.0, 11.0)}, [False, True, True]),
        ("twin", {"mean": apart(-0.1, -1.0, 1.0)}, [True, False, True]),
        ("twin", {"uniform": -0.1}, [True, True, False]),
        ("noisy", {}, [True, True]),
        ("noisy", {"noisy": 0.3}, [False, True]),
        ("noisy", {"honest": -2.1}, [True, False]),
        ("noisy", {"honest": -2.0}, [True, True]),
        ("liar", {"noisy": 0.3}, [False, True]),
        ("films", {"worst": apart(8.0, -0.1, 16.0)}, [False, True]),
        ("real", {}, [True, True]),
        ("real", {"worst": apart(8.0, -0.1, 16.0)}, [False, True]),
        ("real", {"mean": apart(1.0, 0.0, 2.0)}, [True, False]),
    ],
)
def test_a_goal_is_met_or_missed_by_its_own_number_alone(name: str, changes: dict[str, Any], met: list[bool]) -> None:
    given = {"worst": apart(8.0, 2.0, 14.0), "mean": apart(0.5, 0.1, 1.0)} | changes
    found = verdicts({name: judged(**given)})
    assert [verdict.met for verdict in found] == met
    assert all(" met" in verdict.line for verdict in found if verdict.met)
    assert all("MISSED" in verdict.line for verdict in found if not verdict.met)


def test_the_noisy_sites_weight_is_told_as_a_multiple_of_a_uniform_one() -> None:
    found = verdicts({"noisy": judged(worst=apart(0, 0, 0), mean=apart(0, 0, 0), noisy=0.26)})
    assert found[0].value == pytest.approx(0.26 * 5)


def test_the_first_three_rounds_do_not_count_for_the_noisy_sites_weight_where_there_are_more() -> None:
    found = judged(worst=apart(0, 0, 0), mean=apart(0, 0, 0), noisy=0.5)
    found["fedaid"]["site_weights"][NOISY]["most_after_third"] = 0.29
    late, short = (
        verdicts({"noisy": found})[0],
        verdicts({"noisy": judged(worst=apart(0, 0, 0), mean=apart(0, 0, 0))})[0],
    )
    assert (late.value, late.met) == (pytest.approx(0.29 * 5), True)
    assert ("after round 3" in late.name, "of all rounds" in short.name) == (True, True)


@pytest.mark.parametrize(("mean", "met"), [(-0.1, False), (0.0, True)])
def test_at_equal_time_the_mean_is_judged_by_itself(mean: float, met: bool) -> None:
    gained = apart(1.0, 0.5, 2.0)
    slower = judged(worst=gained, mean=apart(mean, -1.0, 1.0))
    equal, time = {"twin": judged(worst=gained, mean=gained)}, {"twin": slower, "noisy": {"fedavg": {}}}
    (found,) = [verdict for verdict in verdicts(equal, time) if verdict not in verdicts(equal)]
    assert (found.of, found.value, found.met) == ("twin", mean, met)


def test_what_the_data_cannot_tell_is_said_with_the_pairs_it_would_take() -> None:
    # half a width of 6 about 2: three times too wide, so nine times as many pairs
    assert needed(apart(2.0, -4.0, 8.0), pairs=100) == "about 900 pairs to tell a difference of +2.0, in place of 100"
    assert needed(apart(-1.5, -3.0, 0.0), pairs=10) == "about 10 pairs to tell a difference of -1.5, in place of 10"
    assert needed(apart(0.0, -4.0, 4.0), pairs=100) == "no number of pairs"
    found = verdicts({"real": judged(worst=apart(2.0, -4.0, 8.0), mean=apart(3.0, 1.0, 5.0))})
    assert [verdict.note for verdict in found] == [needed(apart(2.0, -4.0, 8.0), pairs=100), ""]


def test_without_fedavg_or_fedaid_nothing_is_judged() -> None:
    assert verdicts({"twin": {"fedaid": {"site_weights": {}}}, "noisy": {"fedavg": {}}}) == []
