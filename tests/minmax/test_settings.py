from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fedaid.errors import InputError
from fedaid.minmax.projection import project, weight_ceiling
from fedaid.minmax.settings import MinMaxSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dual_step_size", -0.1),
        ("dual_step_size", math.nan),
        ("dual_step_size", True),
        ("rho", 0),
        ("rho", math.inf),
        ("rho", "0.25"),
        ("max_site_weight", 0),
        ("max_site_weight", 1.1),
        ("min_site_weight", -0.1),
        ("min_site_weight", 1),
        ("min_site_weight", None),
        ("initial_site_weights", "pair"),
        ("initial_site_weights", ["pairs"]),
        ("fairness_power", -1.0),
        ("fairness_power", math.inf),
        ("fairness_power", 1.0),
        ("loss_baseline", "own"),
        ("loss_baseline", None),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} must "):
        MinMaxSettings(**{name: value})


def test_weights_by_pairs_are_refused_with_the_min_max() -> None:
    with pytest.raises(InputError, match="need dual_step_size 0"):
        MinMaxSettings(dual_step_size=0.5, initial_site_weights="pairs")


def test_weights_by_pairs_are_possible_without_the_min_max() -> None:
    assert MinMaxSettings(dual_step_size=0, initial_site_weights="pairs").initial_site_weights == "pairs"


def test_a_floor_that_weights_by_pairs_would_not_keep_is_refused() -> None:
    with pytest.raises(InputError, match=r"^min_site_weight must be 0 for weights by pairs, got 0\.1"):
        MinMaxSettings(dual_step_size=0, initial_site_weights="pairs", min_site_weight=0.1)


@pytest.mark.parametrize("kind", ["student", "alone"])
def test_a_baseline_without_the_min_max_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match=r"^loss_baseline must be one of none, got .*no loss has an effect"):
        MinMaxSettings(dual_step_size=0, loss_baseline=kind)
    assert MinMaxSettings(loss_baseline=kind).loss_baseline == kind


def test_a_fairness_power_and_the_min_max_exclude_each_other() -> None:
    with pytest.raises(InputError, match=r"^fairness_power must be 0 with the min-max, got 2"):
        MinMaxSettings(fairness_power=2)
    assert MinMaxSettings(dual_step_size=0, fairness_power=2).fairness_power == 2


def test_a_floor_that_a_fairness_power_would_not_keep_is_refused() -> None:
    with pytest.raises(InputError, match=r"^min_site_weight must be 0 for weights by pairs"):
        MinMaxSettings(dual_step_size=0, fairness_power=1, min_site_weight=0.1)


@pytest.mark.parametrize("sites", [2, 3, 5, 100])
def test_a_ceiling_of_one_leaves_every_weight_of_the_simplex(sites: int) -> None:
    vertex = np.eye(sites)[0]
    np.testing.assert_allclose(
        project(vertex, rho=MinMaxSettings(max_site_weight=1.0).for_sites(sites)), vertex, atol=1e-9
    )


def test_rho_is_used_as_given_without_a_ceiling() -> None:
    assert MinMaxSettings(rho=0.3).for_sites(5) == 0.3


def test_a_ceiling_becomes_the_rho_that_implies_it() -> None:
    rho = MinMaxSettings(max_site_weight=0.4).for_sites(5)
    assert weight_ceiling(5, rho) == pytest.approx(0.4)


@pytest.mark.parametrize("ceiling", [0.1, 0.2])
def test_a_ceiling_that_no_weights_can_keep_is_refused(ceiling: float) -> None:
    with pytest.raises(InputError, match=r"^max_site_weight must be above 1/S.*0\.2000"):
        MinMaxSettings(max_site_weight=ceiling).for_sites(5)


def test_a_floor_that_no_weights_can_keep_is_refused() -> None:
    with pytest.raises(InputError, match=r"^min_site_weight must be at most 1/S"):
        MinMaxSettings(min_site_weight=0.21).for_sites(5)


def test_the_uniform_weight_is_possible_as_a_floor() -> None:
    assert MinMaxSettings(min_site_weight=0.2).for_sites(5) == 0.25


def test_any_ceiling_suits_one_site() -> None:
    assert MinMaxSettings(max_site_weight=0.4).for_sites(1) == 0.25
