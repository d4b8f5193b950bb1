from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fedaid.errors import InputError
from fedaid.minmax.dual_step import dual_step, multiplicative_step
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights

BY_PAIRS = MinMaxSettings(dual_step_size=0, initial_site_weights="pairs")
LOSSES = {"a": 2.0, "b": 1.0, "c": 1.0}
PAIRS = {"a": 10, "b": 30, "c": 60}


def test_weights_start_uniform_in_the_order_of_names() -> None:
    assert list(SiteWeights(MinMaxSettings(), ["b", "a"]).current.items()) == [("a", 0.5), ("b", 0.5)]


def test_a_step_is_the_dual_step_of_the_settings() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=0.3, rho=0.1, min_site_weight=0.05), list("abc"))
    start = dict(weights.current)
    weights.step(LOSSES, PAIRS)
    assert weights.current == dual_step(start, LOSSES, step_size=0.3, rho=0.1, floor=0.05).weights


def test_a_second_step_goes_on_from_the_first() -> None:
    weights = SiteWeights(MinMaxSettings(rho=1.0), list("abc"))
    weights.step(LOSSES, PAIRS)
    first = weights.current["a"]
    weights.step(LOSSES, PAIRS)
    assert weights.current["a"] > first > 1 / 3


def test_a_ceiling_is_kept() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=5.0, max_site_weight=0.4), list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current["a"] == pytest.approx(0.4)


def test_without_the_min_max_uniform_weights_stay() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=0), list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current == dict.fromkeys("abc", 1 / 3)


def test_weights_by_pairs_are_in_proportion_to_them() -> None:
    weights = SiteWeights(BY_PAIRS, list("abc"))
    weights.step(LOSSES, PAIRS)
    assert weights.current == pytest.approx({"a": 0.1, "b": 0.3, "c": 0.6})


def test_a_site_that_missed_the_first_round_gets_its_share_later() -> None:
    weights = SiteWeights(BY_PAIRS, list("abc"))
    weights.step({"a": 2.0, "b": 1.0}, {"a": 10, "b": 30})
    assert weights.current == pytest.approx({"a": 0.25, "b": 0.75, "c": 0})
    weights.step({"c": 1.0}, {"c": 60})
    assert weights.current == pytest.approx({"a": 0.1, "b": 0.3, "c": 0.6})


def test_a_floor_that_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="min_site_weight"):
        SiteWeights(MinMaxSettings(min_site_weight=0.4), list("abc"))


FAIR = MinMaxSettings(dual_step_size=0, fairness_power=2.0)
AFL = MinMaxSettings(dual_step_size=0.5, max_site_weight=1.0)
RELATIVE = MinMaxSettings(loss_baseline="student", rho=0.25)
TABLES = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1e3), min_size=1)


def test_a_fairness_power_weighs_by_pairs_and_loss() -> None:
    weights = SiteWeights(FAIR, list("abc"))
    move = weights.step(LOSSES, PAIRS)
    assert weights.current == pytest.approx({"a": 40 / 130, "b": 30 / 130, "c": 60 / 130})
    assert move.rule == "fairness"


def test_a_fairness_power_leaves_out_a_site_that_did_not_answer() -> None:
    weights = SiteWeights(FAIR, list("abc"))
    weights.step(LOSSES, PAIRS)
    weights.step({"a": 2.0, "b": 1.0}, {"a": 10, "b": 30})
    assert weights.current == pytest.approx({"a": 4 / 7, "b": 3 / 7, "c": 0.0})


def test_without_any_answer_a_fairness_power_changes_nothing() -> None:
    weights = SiteWeights(FAIR, list("ab"))
    assert weights.step({}, {}).rule == "none"
    assert weights.current == {"a": 0.5, "b": 0.5}


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), st.floats(0.5, 1.5)), min_size=1, max_size=5))
def test_agnostic_federated_learning_is_the_multiplicative_step_on_the_whole_simplex(
    rounds: list[dict[str, float]],
) -> None:
    """The losses are within a nat of each other, so that no loss is an outlier."""
    weights = SiteWeights(AFL, list("abcdef"))
    free = np.full(6, 1 / 6)
    for table in rounds:
        losses = dict.fromkeys("abcdef", 1.0) | table
        weights.step(losses, {})
        free = multiplicative_step(free, np.array(list(losses.values())), step_size=0.5)
    np.testing.assert_allclose(list(weights.current.values()), free, atol=1e-7)


def test_agnostic_federated_learning_may_give_one_site_everything() -> None:
    weights = SiteWeights(AFL, list("abc"))
    for _ in range(100):
        weights.step(LOSSES, PAIRS)
    assert weights.current["a"] == pytest.approx(1.0)


def test_a_step_against_a_baseline_worked_by_hand() -> None:
    weights = SiteWeights(MinMaxSettings(loss_baseline="student", rho=1.0), list("ab"))
    move = weights.step({"a": 3.0, "b": 2.0}, {}, {"a": 2.8, "b": 1.0})  # excess .2 and 1, so b gains
    gain = np.exp(0.5 * np.array([0.2, 1.0]))
    assert list(weights.current.values()) == pytest.approx(gain / gain.sum())
    assert (move.baselines, move.losses) == ({"a": 2.8, "b": 1.0}, {"a": 3.0, "b": 2.0})


@given(TABLES, TABLES, st.floats(0.01, 3))
@example({"a": 0.0, "b": 466.0, "c": 0.0, "d": 504.0, "e": 0.0}, {"a": 0.0, "b": 0.0}, 1.0)  # moves by 1.8e-9
def test_with_baselines_equal_to_the_losses_nothing_moves(
    first: dict[str, float], losses: dict[str, float], rho: float
) -> None:
    """To 1e-7, because the radius that the absent sites leave is the square root of a difference.

    Where the weights of the answering sites are nearly equal and the others are at the ball's boundary, that difference
    is below the rounding of its terms, about 1e-16, and may become 0. The nearly equal weights are then set equal: each
    moves by at most √1e-16 = 1e-8. In 40,000 random cases the largest move was 7.9e-9; 10 were above 1e-9.
    """
    weights = SiteWeights(MinMaxSettings(loss_baseline="alone", rho=rho), list("abcdef"))
    for _ in range(2):  # a loss that one round only reports would be taken back
        weights.step(first, {}, dict.fromkeys(first, 0.0))
    before = dict(weights.current)
    weights.step(losses, {}, losses)
    assert weights.current == pytest.approx(before, abs=1e-7)


@given(TABLES, TABLES, st.sets(st.sampled_from("abcdef")))
def test_a_site_without_a_baseline_keeps_its_weight(
    first: dict[str, float], losses: dict[str, float], heard: set[str]
) -> None:
    weights = SiteWeights(RELATIVE, list("abcdef"))
    for _ in range(2):  # a loss that one round only reports would be taken back
        weights.step(first, {}, dict.fromkeys(first, 0.0))
    before = dict(weights.current)
    weights.step(losses, {}, dict.fromkeys(heard, 0.1))
    silent = set(before) - (heard & losses.keys())
    assert {site: weights.current[site] for site in silent} == {site: before[site] for site in silent}


@given(st.lists(st.tuples(TABLES, TABLES), min_size=1, max_size=4), st.floats(0.01, 3), st.floats(0, 0.16))
def test_the_weights_are_feasible_with_any_baselines(
    rounds: list[tuple[dict[str, float], dict[str, float]]], rho: float, floor: float
) -> None:
    weights = SiteWeights(MinMaxSettings(loss_baseline="student", rho=rho, min_site_weight=floor), list("abcdef"))
    for losses, baselines in rounds:
        weights.step(losses, {}, baselines)
        values = np.array(list(weights.current.values()))
        assert values.min() >= floor - 1e-12
        assert values.sum() == pytest.approx(1, abs=1e-12)
        assert ((6 * values - 1) ** 2).sum() / 12 <= rho + 1e-9


def test_without_any_baseline_there_is_no_step() -> None:
    weights = SiteWeights(RELATIVE, list("abc"))
    move = weights.step(LOSSES, PAIRS)
    assert weights.current == dict.fromkeys("abc", 1 / 3)
    assert (move.baselines, move.cut_by_ball) == ({}, False)


def test_baselines_have_no_effect_where_none_are_wanted() -> None:
    plain, given_some = (SiteWeights(MinMaxSettings(), list("abc")) for _ in range(2))
    plain.step(LOSSES, PAIRS)
    assert given_some.step(LOSSES, PAIRS, LOSSES).baselines == {}
    assert given_some.current == plain.current


def test_a_move_says_what_the_ball_cut() -> None:
    weights = SiteWeights(MinMaxSettings(dual_step_size=5.0, max_site_weight=0.4), list("abc"))
    move = weights.step(LOSSES, PAIRS)
    assert (move.rule, move.cut_by_ball, move.raised_by_floor) == ("dual_step", True, False)
    assert move.unprojected["a"] == pytest.approx(np.exp(10) / (np.exp(10) + 2 * np.exp(5)))
    assert weights.current["a"] == pytest.approx(0.4)


def test_weights_that_stay_have_no_rule() -> None:
    assert SiteWeights(MinMaxSettings(dual_step_size=0), list("abc")).step(LOSSES, PAIRS).rule == "none"
    assert SiteWeights(BY_PAIRS, list("abc")).step(LOSSES, PAIRS).rule == "pairs"


LEAST = 0.005  # of a tiny weight, which the ball moves most, the tolerance


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, float]], str, int]:
    """Honest losses that move by at most 0.1 nats, a site, and the round in which it lies."""
    sites = "abcdef"[: draw(st.integers(3, 6))]
    start = {site: draw(st.floats(0.3, 3.0)) for site in sites}
    tables = [{site: loss + draw(st.floats(-0.05, 0.05)) for site, loss in start.items()} for _ in range(8)]
    return tables, draw(st.sampled_from(sites)), draw(st.integers(0, 4))


@given(histories(), st.floats(10, 60), st.sampled_from([0.05, 0.25, 1.0]))
def test_three_rounds_after_one_false_loss_the_weights_are_within_a_tenth_of_those_without_it(
    history: tuple[list[dict[str, float]], str, int], false: float, rho: float
) -> None:
    tables, liar, when = history
    settings = MinMaxSettings(rho=rho, dual_step_size=0.3)
    honest, lied = (SiteWeights(settings, list(tables[0])) for _ in range(2))
    for number, losses in enumerate(tables[: when + 4]):
        honest.step(losses, {})
        lied.step(losses | ({liar: false} if number == when else {}), {})
    assert lied.current == pytest.approx(honest.current, rel=0.1, abs=LEAST)


@given(histories(), st.sampled_from([0.05, 0.25, 1.0]))
def test_three_rounds_after_one_false_student_loss_the_weights_are_within_a_tenth_too(
    history: tuple[list[dict[str, float]], str, int], rho: float
) -> None:
    """The losses are 3 nats above the students' plus what the site loses, at most 0.3."""
    tables, liar, when = history
    settings = MinMaxSettings(rho=rho, loss_baseline="student")
    honest, lied = (SiteWeights(settings, list(tables[0])) for _ in range(2))
    for number, table in enumerate(tables[: when + 4]):
        losses = {site: 3 + value / 10 for site, value in table.items()}
        students = dict.fromkeys(losses, 3.0)
        honest.step(losses, {}, students)
        lied.step(losses, {}, students | ({liar: 0.0} if number == when else {}))
    assert lied.current == pytest.approx(honest.current, rel=0.1, abs=LEAST)


def test_an_outlier_is_taken_back_and_the_move_says_so() -> None:
    weights, honest = (SiteWeights(MinMaxSettings(), list("abc")) for _ in range(2))
    for number in range(3):
        move = weights.step(LOSSES | ({"b": 12.0} if number == 1 else {}), PAIRS)
        honest.step(LOSSES, PAIRS)
    assert move.taken_back == {"b": pytest.approx(1.0)}
    assert weights.current == pytest.approx(honest.current)


def test_two_high_losses_in_a_row_are_no_outlier() -> None:
    weights = SiteWeights(MinMaxSettings(), list("abc"))
    moves = [weights.step(LOSSES | ({"b": 12.0} if number in (1, 2) else {}), PAIRS) for number in range(5)]
    assert [move.taken_back for move in moves] == [{}] * 5


def test_an_outlier_is_found_after_the_weights_were_restored() -> None:
    whole, stopped = (SiteWeights(MinMaxSettings(), list("abc")) for _ in range(2))
    for losses in (LOSSES, LOSSES | {"b": 12.0}):
        whole.step(losses, PAIRS)
        stopped.step(losses, PAIRS)
    again = SiteWeights(MinMaxSettings(), list("abc"))
    again.restore(stopped.state)
    assert again.step(LOSSES, PAIRS) == whole.step(LOSSES, PAIRS)
    assert again.state == whole.state


def test_a_false_low_loss_gives_the_others_no_weight_for_long() -> None:
    weights, honest = (SiteWeights(MinMaxSettings(), list("abc")) for _ in range(2))
    high = {site: loss + 3 for site, loss in LOSSES.items()}
    for number in range(3):
        move = weights.step(high | ({"b": 0.0} if number == 1 else {}), PAIRS)
        honest.step(high, PAIRS)
    assert move.taken_back == {"b": pytest.approx(4.0)}
    assert weights.current == pytest.approx(honest.current)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("baseline", ["none", "student"])
def test_a_loss_that_is_not_finite_counts_as_no_loss(value: float, baseline: str) -> None:
    weights, silent = (SiteWeights(MinMaxSettings(loss_baseline=baseline), list("abc")) for _ in range(2))
    students = dict.fromkeys("abc", 0.5)
    for _ in range(2):
        weights.step(LOSSES | {"a": value}, PAIRS, students)
        silent.step({site: LOSSES[site] for site in "bc"}, PAIRS, students)
    if not (baseline == "student" and value == -np.inf):  # which is no excess
        assert weights.state == silent.state
    assert sum(weights.current.values()) == pytest.approx(1)
