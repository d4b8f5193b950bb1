from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.minmax.dual_step import dual_step, multiplicative_step, raise_to_floor, slice_radius
from fedaid.minmax.projection import project, weight_ceiling

SITES = ("a", "b", "c", "d", "e")
UNIFORM = dict.fromkeys(SITES, 0.2)
LOSSES = dict(zip(SITES, (3.0, 2.5, 2.0, 1.5, 1.0), strict=True))


def divergence(weights: dict[str, float]) -> float:
    sites = len(weights)
    return sum((sites * weight - 1) ** 2 for weight in weights.values()) / (2 * sites)


def inside(draws: list[float], rho: float) -> dict[str, float]:
    projected = project(np.array(draws), rho=rho).tolist()
    return {f"s{number}": weight for number, weight in enumerate(projected)}


TABLES = st.integers(1, 7).flatmap(
    lambda sites: st.tuples(
        st.lists(st.floats(0, 1), min_size=sites, max_size=sites),  # weights before projection
        st.lists(st.floats(-1e3, 1e3) | st.none(), min_size=sites, max_size=sites),  # losses, None for an absent site
    )
)


def test_the_test_vector_of_the_method() -> None:
    stepped = multiplicative_step(np.full(5, 0.2), np.array(list(LOSSES.values())), step_size=0.5)
    np.testing.assert_allclose(stepped, (0.310022, 0.241445, 0.188038, 0.146444, 0.114051), atol=1e-6)


def test_a_step_inside_the_ball_is_the_multiplicative_one() -> None:
    moved = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=1.0).weights
    np.testing.assert_allclose(list(moved.values()), (0.310022, 0.241445, 0.188038, 0.146444, 0.114051), atol=1e-6)


def test_the_site_with_the_highest_loss_gains_most() -> None:
    moved = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=0.25).weights
    assert list(moved.values()) == sorted(moved.values(), reverse=True)


@given(TABLES, st.floats(0.01, 3), st.floats(0, 10))
def test_the_result_is_on_the_simplex_and_in_the_ball(
    table: tuple[list[float], list[float | None]], rho: float, step_size: float
) -> None:
    weights = inside(table[0], rho)
    losses = {site: loss for site, loss in zip(weights, table[1], strict=True) if loss is not None}
    moved = dual_step(weights, losses, step_size=step_size, rho=rho).weights
    assert min(moved.values()) >= 0
    assert sum(moved.values()) == pytest.approx(1, abs=1e-12)
    assert divergence(moved) <= rho + 1e-9


@given(TABLES, st.floats(0.01, 3), st.floats(0, 1))
def test_the_floor_is_kept_without_leaving_the_ball(
    table: tuple[list[float], list[float | None]], rho: float, share: float
) -> None:
    start = inside(table[0], rho)
    floor = share / len(start)
    weights = dict(zip(start, raise_to_floor(np.array(list(start.values())), floor=floor).tolist(), strict=True))
    losses = {site: loss for site, loss in zip(weights, table[1], strict=True) if loss is not None}
    moved = dual_step(weights, losses, step_size=1.0, rho=rho, floor=floor).weights
    assert min(moved.values()) >= floor - 1e-12
    assert divergence(moved) <= rho + 1e-9


@given(TABLES, st.floats(0.01, 3))
def test_an_absent_site_keeps_its_weight_to_the_last_bit(
    table: tuple[list[float], list[float | None]], rho: float
) -> None:
    weights = inside(table[0], rho)
    losses = {site: loss for site, loss in zip(weights, table[1], strict=True) if loss is not None}
    moved = dual_step(weights, losses, step_size=0.5, rho=rho).weights
    assert [moved[site] for site in weights if site not in losses] == [
        weights[site] for site in weights if site not in losses
    ]


@given(TABLES, st.floats(-1e6, 1e6), st.floats(0.01, 3))
def test_equal_losses_change_nothing(table: tuple[list[float], list[float | None]], loss: float, rho: float) -> None:
    weights = inside(table[0], rho)
    moved = dual_step(weights, dict.fromkeys(weights, loss), step_size=0.5, rho=rho).weights
    assert moved == pytest.approx(weights, abs=1e-9)


def test_the_order_of_arrival_does_not_change_a_bit() -> None:
    backwards = dict(reversed(LOSSES.items()))
    there = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=0.25).weights
    assert list(there.items()) == list(dual_step(UNIFORM, backwards, step_size=0.5, rho=0.25).weights.items())


@pytest.mark.parametrize("extreme", [1e308, -1e308])
@pytest.mark.filterwarnings("error")
def test_an_extreme_loss_gives_no_nan(extreme: float) -> None:
    moved = dual_step(UNIFORM, LOSSES | {"a": extreme, "b": -extreme}, step_size=0.5, rho=0.25).weights
    assert all(math.isfinite(weight) for weight in moved.values())
    assert max(moved.values()) == pytest.approx(weight_ceiling(5, 0.25))


def test_one_answering_site_changes_nothing() -> None:
    weights = {"a": 0.3, "b": 0.3, "c": 0.4}
    assert dual_step(weights, {"b": 9.0}, step_size=0.5, rho=0.25).weights == pytest.approx(weights, abs=1e-15)


def test_a_federation_of_one_keeps_weight_one() -> None:
    assert dual_step({"a": 1.0}, {"a": 9.0}, step_size=0.5, rho=0.25).weights == {"a": 1.0}


def test_step_size_zero_changes_nothing() -> None:
    weights = {"a": 0.9, "b": 0.1}
    assert dual_step(weights, {"a": 1.0, "b": 9.0}, step_size=0, rho=0.01).weights == weights


def test_no_answer_changes_nothing() -> None:
    assert dual_step(UNIFORM, {}, step_size=0.5, rho=0.25).weights == UNIFORM


def test_a_lasting_gap_drives_the_worst_site_to_the_ceiling() -> None:
    weights = UNIFORM
    for _ in range(50):
        weights = dual_step(weights, LOSSES, step_size=0.5, rho=0.05).weights
    assert weights["a"] <= weight_ceiling(5, 0.05)
    assert divergence(weights) == pytest.approx(0.05)


def test_weights_that_keep_the_floor_are_not_moved_by_it() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(raise_to_floor(weights, floor=0.1), weights, atol=1e-15)


def test_what_a_floor_adds_is_taken_in_proportion_to_the_excess() -> None:
    np.testing.assert_allclose(raise_to_floor(np.array([0.7, 0.3, 0.0]), floor=0.1), [0.1 + 0.7 * 0.75, 0.275, 0.1])


def test_the_largest_floor_leaves_the_uniform_weights() -> None:
    np.testing.assert_allclose(raise_to_floor(np.array([1.0, 0.0]), floor=0.5), 0.5)


def test_the_slice_without_absent_sites_is_the_whole_ball() -> None:
    assert slice_radius(UNIFORM, list(SITES), rho=0.25) == pytest.approx(math.sqrt(2 * 0.25 / 5))


def test_a_step_inside_the_ball_says_that_nothing_was_cut() -> None:
    step = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=1.0)
    assert (step.cut_by_ball, step.raised_by_floor) == (False, False)
    assert step.unprojected == pytest.approx(step.weights, abs=1e-12)


def test_a_step_out_of_the_ball_says_so_and_where_it_would_have_gone() -> None:
    step = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=0.05)
    assert (step.cut_by_ball, step.raised_by_floor) == (True, False)
    np.testing.assert_allclose(
        list(step.unprojected.values()), (0.310022, 0.241445, 0.188038, 0.146444, 0.114051), atol=1e-6
    )
    assert step.weights["a"] < step.unprojected["a"]


def test_a_step_below_the_floor_says_that_it_was_raised() -> None:
    step = dual_step(UNIFORM, LOSSES, step_size=0.5, rho=1.0, floor=0.15)
    assert (step.cut_by_ball, step.raised_by_floor) == (False, True)
    assert min(step.weights.values()) == pytest.approx(0.15)


def test_absent_sites_keep_their_weight_in_the_unprojected_step_too() -> None:
    step = dual_step(UNIFORM, {"a": 3.0, "b": 1.0}, step_size=0.5, rho=1.0)
    assert [step.unprojected[site] for site in "cde"] == [0.2] * 3
    assert step.unprojected["a"] + step.unprojected["b"] == pytest.approx(0.4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_is_no_answer(value: float) -> None:
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    found = dual_step(weights, {"a": value, "b": 2.0, "c": 1.0}, step_size=0.5, rho=1.0).weights
    assert found == dual_step(weights, {"b": 2.0, "c": 1.0}, step_size=0.5, rho=1.0).weights


def test_a_step_of_any_size_gives_no_nan() -> None:
    stepped = multiplicative_step(np.array([0.5, 0.5]), np.array([1e308, 1.0]), step_size=1e6)
    assert stepped.tolist() == [1.0, 0.0]
