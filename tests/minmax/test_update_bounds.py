from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from fedaid.errors import InputError
from fedaid.minmax.update_bounds import (
    BoundSettings,
    NormBounds,
    largest_loss,
    model_fault,
    norm_of,
    without_rounding,
)


@pytest.mark.parametrize(
    ("norms", "former", "limit"),
    [
        ([1.0, 2.0, 100.0], (), 20.0),  # the median of the phase
        ([1.0, 2.0, 3.0, 400.0], (), 20.0),  # of four, the lower of the two in the middle
        ([1.0, 100.0], (), math.inf),  # two norms do not show which is wrong
        ([1.0, 100.0], (1.0, 1.2, 1.1), 11.0),
        ([0.001, 1.0], (1.0, 1.2, 1.1), 11.0),  # a tiny update makes no other one large
        ([40.0, 41.0, 42.0], (1.0, 1.0, 1.0), 410.0),  # all sites grew
        ([0.0, 0.0, 1.0], (), math.inf),  # zeros are no updates
        ([5.0], (1.0, 0.0), 10.0),
        ([], (), math.inf),
    ],
)
def test_the_limit_is_the_ratio_times_the_larger_median(
    norms: list[float], former: tuple[float, ...], limit: float
) -> None:
    for order in itertools.permutations(norms):
        assert NormBounds(10.0, former).limit(order) == pytest.approx(limit)


def test_without_a_ratio_nothing_is_too_large() -> None:
    assert NormBounds(BoundSettings(None).ratio, (1.0,)).limit([1.0, 2.0, 3.0]) == math.inf


@pytest.mark.parametrize("value", [1, 0, -1, math.nan, math.inf, "10", True])
def test_a_bad_ratio_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^largest_norm_ratio must be a finite number above 1, or null"):
        BoundSettings(value)  # type: ignore[arg-type]


def test_the_largest_loss_is_four_times_that_of_random_embeddings() -> None:
    assert largest_loss(1000) == pytest.approx(4 * math.log(1000))
    assert largest_loss(2) == pytest.approx(4 * math.log(64))
    assert largest_loss(10**9) == pytest.approx(4 * math.log(4096)), "a false number of pairs allows no other loss"


OLD = {"w": np.full(4, 2.0, np.float32), "bn.running_var": np.ones(2, np.float32), "counter": np.array(3)}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"w": np.full(4, 12.0, np.float32)}, ""),
        ({"counter": np.array(10**9)}, ""),
        ({"bn.running_var": np.full(2, 1e3, np.float32)}, ""),
        ({"bn.running_var": np.array([0.0, -1e-9], np.float32)}, ""),  # rounding
        ({"w": np.full(4, 40.0, np.float32)}, "its step has norm 76, above 40"),
        ({"w": np.array([1, np.inf, 1, 1], np.float32)}, "tensor w is not finite"),
        ({"bn.running_var": np.array([0.5, -0.01], np.float32)}, "tensor bn.running_var is below 0"),
    ],
)
def test_a_model_that_must_not_replace_the_one_before_has_a_reason(change: dict[str, np.ndarray], fault: str) -> None:
    assert model_fault(OLD | change, OLD, ratio=10.0, is_learned=lambda name: "running" not in name) == fault


def test_the_norm_is_taken_in_float64() -> None:
    assert norm_of({"w": np.full(4, 1e30, np.float32)}) == pytest.approx(2e30)


def test_what_rounding_takes_a_variance_below_zero_becomes_zero() -> None:
    old = np.array([100.0, 1.0], np.float32)
    for new, expected in (([-9e-4, 2.0], [0.0, 2.0]), ([0.5, 1.0], [0.5, 1.0]), ([-1.0, 2.0], [-1.0, 2.0])):
        found = without_rounding("bn.running_var", np.array(new, np.float32), old)
        assert found.dtype == np.float32
        assert found.tolist() == np.array(expected, np.float32).tolist()
    assert without_rounding("bn.running_mean", np.array([-9e-4], np.float32), old[:1]).min() < 0
