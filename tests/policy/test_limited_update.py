from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from hospital_policy.limited_update import formed, limited
from hospital_policy.rules import PolicyFault, Rules

Arrays = dict[str, NDArray[Any]]
F = np.float32
MODEL: Any = {
    "w": ((2,), np.dtype(F)),
    "scale": ((), np.dtype(F)),
    "n.running_mean": ((2,), np.dtype(F)),
    "n.running_var": ((2,), np.dtype(F)),
    "ids": ((2,), np.dtype(np.int64)),
}
NOISY: dict[str, Any] = {"epsilon": 1e3, "statistics": "withhold"}


def update() -> Arrays:
    """Learned tensors of norm 13 (3, 4 and 12), statistics of norm 5 (3 and 4)."""
    return {
        "w": np.array([3, 4], F),
        "scale": np.array(12, F),
        "n.running_mean": np.array([3, 0], F),
        "n.running_var": np.array([0, 4], F),
    }


def test_learned_tensors_are_clipped_to_the_norm_by_hand() -> None:
    found = limited(update(), Rules(clip=6.5))
    assert (found.norm, found.factor) == (13.0, 0.5)
    assert np.array_equal(found.tensors["w"], np.array([1.5, 2], F))
    assert (found.tensors["scale"], found.tensors["scale"].shape) == (6.0, ())
    assert np.array_equal(found.tensors["n.running_mean"], update()["n.running_mean"])


def test_running_statistics_have_a_norm_of_their_own() -> None:
    found = limited(update(), Rules(statistics_clip=2.5))
    assert (found.statistics_norm, found.statistics_factor, found.factor) == (5.0, 0.5, 1.0)
    assert np.array_equal(found.tensors["n.running_var"], np.array([0, 2], F))
    assert np.array_equal(found.tensors["w"], update()["w"])


def test_withheld_statistics_do_not_move() -> None:
    found = limited(update(), Rules(statistics="withhold"))
    assert found.statistics_factor == 0.0
    assert not found.tensors["n.running_mean"].any()
    assert not found.tensors["n.running_var"].any()


def test_a_small_update_leaves_as_it_is() -> None:
    found = limited(update(), Rules(clip=13.0))
    assert found.factor == 1.0
    assert all(np.array_equal(found.tensors[name], tensor) for name, tensor in update().items())


def test_noise_is_drawn_in_the_order_of_names_by_hand() -> None:
    found = limited(update(), Rules(clip=6.5, noise=2.0, **NOISY), moving=["w", "scale"], rng=np.random.default_rng(7))
    draw = np.random.default_rng(7)
    scale = 6.0 + draw.normal(0, 13.0)
    w = np.array([1.5, 2]) + draw.normal(0, 13.0, 2)
    assert found.tensors["scale"] == F(scale)
    assert np.array_equal(found.tensors["w"], w.astype(F))
    assert not found.tensors["n.running_mean"].any()


def test_a_frozen_tensor_gets_no_noise_and_one_that_moved_before_does() -> None:
    rules = Rules(clip=1.0, noise=1.0, **NOISY)
    still = update() | {"w": np.zeros(2, F)}
    assert not limited(still, rules, moving=["scale"]).tensors["w"].any()
    assert limited(still, rules, moving=["scale", "w"]).tensors["w"].all()


def test_the_noise_has_the_standard_deviation_that_the_accountant_counts() -> None:
    rules = Rules(clip=2.0, noise=0.75, **NOISY)
    still = {"w": np.zeros(200_000, F)}
    found = limited(still, rules, moving=["w"], rng=np.random.default_rng(0)).tensors["w"]
    assert found.std() == pytest.approx(1.5, rel=0.01)
    assert abs(found.mean()) < 0.02


def test_without_a_generator_two_releases_have_different_noise() -> None:
    rules = Rules(clip=2.0, noise=0.75, **NOISY)
    one, other = (limited(update(), rules, moving=["w"]).tensors["w"] for _ in range(2))
    assert not np.array_equal(one, other)


values = arrays(F, 2, elements=st.floats(-1e6, 1e6, width=32))


@given(values, values, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_no_norm_is_above_its_limit_and_no_direction_changes(w: Any, mean: Any, clip: float, other: float) -> None:
    found = limited({"w": w, "n.running_mean": mean}, Rules(clip=clip, statistics_clip=other)).tensors
    assert np.linalg.norm(found["w"].astype(float)) <= clip * (1 + 1e-6)
    assert np.linalg.norm(found["n.running_mean"].astype(float)) <= other * (1 + 1e-6)
    assert (np.sign(found["w"]) * np.sign(w) >= 0).all()


def test_what_filters_before_leave_gets_the_type_of_the_model() -> None:
    found = formed({"w": np.array([1.0, 2.0]), "scale": np.float64(3)}, MODEL)
    assert {name: (t.dtype, t.shape) for name, t in found.items()} == {"w": (F, (2,)), "scale": (F, ())}


BAD: dict[str, tuple[Any, str]] = {
    "a tensor that the model does not have": ({"w": np.ones(2, F), "pixels": np.ones(2, F)}, "pixels must be of the"),
    "another shape": ({"w": np.ones(3, F)}, "must have shape"),
    "not a number": ({"w": np.array([1, np.nan], F)}, "must be finite"),
    "too large for its type": ({"w": np.array([1e300, 0.0])}, "must be finite"),
    "whole numbers that move": ({"ids": np.array([1, 2])}, "must not move"),
    "fractions of whole numbers": ({"ids": np.array([0.5, 0])}, "must not move"),
    "a list": ({"w": [1.0, 2.0]}, "got list"),
    "a masked array": ({"w": np.ma.masked_array(np.ones(2, F))}, "got MaskedArray"),
    "texts": ({"w": np.array(["a", "b"])}, "must have shape"),
    "nothing": ({}, "at least one tensor"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_tensor_that_is_not_as_the_model_has_it_does_not_leave(case: str) -> None:
    tensors, reason = BAD[case]
    with pytest.raises(PolicyFault, match=reason):
        formed(tensors, MODEL)
