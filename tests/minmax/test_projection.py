from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from fedaid.minmax.projection import (
    Weights,
    ball_radius,
    project,
    project_to_ball,
    project_to_simplex,
    rho_of_ceiling,
    weight_ceiling,
)

POINTS = st.integers(1, 8).flatmap(lambda sites: arrays(np.float64, sites, elements=st.floats(-3, 3)))
RHOS = st.floats(0, 4)


def divergence(weights: Weights) -> float:
    """(1/2S) Σ (S α_i − 1)², as the method defines it."""
    return float(((len(weights) * weights - 1) ** 2).sum() / (2 * len(weights)))


@pytest.mark.parametrize(
    ("point", "rho", "expected"),
    [
        ((0.9, 0.05, 0.03, 0.01, 0.01), 0.25, (0.482589, 0.139445, 0.131371, 0.123297, 0.123297)),
        ((0.9, 0.05, 0.03, 0.01, 0.01), 1.0, (0.765178, 0.078890, 0.062742, 0.046595, 0.046595)),
        ((1.0, 0.0), 0.02, (0.6, 0.4)),
        ((1.0, 0.0, 0.0), 0.05, (0.482405, 0.258798, 0.258798)),
    ],
)
def test_the_test_vectors_of_the_method(point: tuple[float, ...], rho: float, expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(project(np.array(point), rho=rho), expected, atol=1e-6)


@given(POINTS, RHOS)
def test_a_projection_lies_on_the_simplex(point: Weights, rho: float) -> None:
    projected = project(point, rho=rho)
    assert projected.min() >= 0
    assert abs(projected.sum() - 1) <= 1e-12


@given(POINTS, RHOS)
def test_a_projection_lies_in_the_ball(point: Weights, rho: float) -> None:
    projected = project(point, rho=rho)
    assert np.linalg.norm(projected - 1 / len(point)) <= ball_radius(len(point), rho) + 1e-12


@given(POINTS, RHOS)
def test_a_second_projection_changes_nothing(point: Weights, rho: float) -> None:
    once = project(point, rho=rho)
    np.testing.assert_allclose(project(once, rho=rho), once, atol=1e-12)


@given(POINTS, RHOS, st.integers(0, 2**32 - 1))
def test_no_other_point_of_the_ball_is_nearer(point: Weights, rho: float, seed: int) -> None:
    rng, uniform = np.random.default_rng(seed), np.full(len(point), 1 / len(point))
    projected = project(point, rho=rho)
    for corner in rng.dirichlet(np.full(len(point), 0.3), size=20):
        length = np.linalg.norm(corner - uniform)
        other = uniform + min(1.0, ball_radius(len(point), rho) / max(length, 1e-300)) * (corner - uniform)
        assert (point - projected) @ (other - projected) <= 1e-9  # the variational inequality: an obtuse angle


@settings(max_examples=25)
@given(st.integers(2, 6).flatmap(lambda n: arrays(np.float64, n, elements=st.floats(-1, 2))), st.floats(0.01, 2))
def test_a_constrained_solver_finds_nothing_nearer(point: Weights, rho: float) -> None:
    sites = len(point)
    found = minimize(
        lambda x: ((x - point) ** 2).sum(),
        np.full(sites, 1 / sites),
        method="SLSQP",
        bounds=[(0, 1)] * sites,
        constraints=[
            {"type": "eq", "fun": lambda x: x.sum() - 1},
            {"type": "ineq", "fun": lambda x: rho - ((sites * x - 1) ** 2).sum() / (2 * sites)},
        ],
        options={"ftol": 1e-12},
    )
    assert ((project(point, rho=rho) - point) ** 2).sum() <= found.fun + 1e-6


@given(POINTS, RHOS, st.randoms(use_true_random=False))
def test_the_order_of_the_sites_does_not_matter(point: Weights, rho: float, random: object) -> None:
    order = list(range(len(point)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_allclose(project(point[order], rho=rho), project(point, rho=rho)[order], atol=1e-12)


@pytest.mark.parametrize("scale", [1e3, 1e17, 1e300])
def test_a_far_point_is_projected_onto_the_simplex(scale: float) -> None:
    np.testing.assert_array_equal(project_to_simplex(scale * np.array([1.0, 0.5, -1.0])), [1, 0, 0])


@pytest.mark.parametrize("scale", [1e3, 1e17, 1e150])
def test_a_far_point_is_projected_into_the_ball(scale: float) -> None:
    projected = project(scale * np.array([1.0, 0.0, 0.0]), rho=0.05)
    np.testing.assert_allclose(projected, (0.482405, 0.258798, 0.258798), atol=1e-6)


def test_radius_zero_leaves_only_the_uniform_weights() -> None:
    np.testing.assert_allclose(project_to_ball(np.array([0.7, 0.2, 0.1]), radius=0.0), 1 / 3)


def test_one_site_has_weight_one() -> None:
    assert project(np.array([0.3]), rho=0.25).tolist() == [1.0]


@pytest.mark.parametrize("sites", [2, 3, 5, 12])
@pytest.mark.parametrize("rho", [0.01, 0.25, 1.0, 9.0])
def test_the_ceiling_is_the_largest_weight_that_a_search_finds(sites: int, rho: float) -> None:
    # the largest weight of one site leaves the others equal: bisect on it
    low, high = 1 / sites, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        weights = np.full(sites, (1 - middle) / (sites - 1))
        weights[0] = middle
        low, high = (middle, high) if divergence(weights) <= rho else (low, middle)
    assert weight_ceiling(sites, rho) == pytest.approx(low, abs=1e-9)


@given(st.integers(2, 20), st.floats(0.01, 1))
def test_the_rho_of_a_ceiling_has_that_ceiling(sites: int, share: float) -> None:
    ceiling = 1 / sites + share * (1 - 1 / sites)
    assert weight_ceiling(sites, rho_of_ceiling(sites, ceiling)) == pytest.approx(ceiling)


@given(st.integers(2, 8), RHOS)
def test_the_largest_projected_weight_is_the_ceiling(sites: int, rho: float) -> None:
    assert project(np.eye(sites)[0], rho=rho).max() == pytest.approx(weight_ceiling(sites, rho))
