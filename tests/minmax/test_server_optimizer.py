from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fedaid.errors import InputError
from fedaid.minmax.server_optimizer import FIRST, SECOND, ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.weighted_average import apply

SGD = ServerOptimizerSettings()
MOMENTUM = ServerOptimizerSettings("momentum", server_learning_rate=0.5, server_momentum=0.9)
ADAM = ServerOptimizerSettings("adam", 0.01, server_momentum=0.9, server_second_moment=0.99, server_epsilon=1e-3)
Arrays = dict[str, NDArray[Any]]


def is_variance(name: str) -> bool:
    return name == "variance"


def model() -> Arrays:
    return {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
        "scalar": np.array(0.5, np.float32),
        "variance": np.array([1.0, 4.0], np.float32),
        "counter": np.array(7, np.int64),
    }


def changes(seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    return {name: np.asarray(0.01 * rng.standard_normal(tensor.shape)) for name, tensor in model().items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server_optimizer", "adamw"),
        ("server_optimizer", None),
        ("server_learning_rate", 0),
        ("server_learning_rate", 1.5),
        ("server_learning_rate", True),
        ("server_momentum", 1.0),
        ("server_momentum", -0.1),
        ("server_second_moment", math.nan),
        ("server_epsilon", 0),
        ("server_epsilon", "1e-3"),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} must be .*config_fed_server"):
        ServerOptimizerSettings(**{name: value})


def test_the_plain_step_is_the_scaled_sum_to_the_last_bit_and_remembers_nothing() -> None:
    optimizer = ServerOptimizer(ServerOptimizerSettings(server_learning_rate=0.3), is_statistic=is_variance)
    moved, expected = optimizer.moved(model(), changes(0)), apply(model(), changes(0), scale=0.3)
    assert all(moved[name].tobytes() == expected[name].tobytes() for name in model())
    assert optimizer.state == {}


def test_momentum_worked_by_hand() -> None:
    optimizer = ServerOptimizer(MOMENTUM)
    one: Any = {"w": np.array([1.0, -2.0])}
    moved = optimizer.moved({"w": np.zeros(2)}, one)  # v = Δ, half of it is taken
    np.testing.assert_allclose(moved["w"], [0.5, -1.0])
    moved = optimizer.moved(moved, one)  # v = .9 Δ + Δ
    np.testing.assert_allclose(moved["w"], [0.5 + 0.95, -1.0 - 1.9])
    np.testing.assert_allclose(optimizer.state[FIRST + "w"], [1.9, -3.8])


def test_momentum_goes_on_when_a_round_has_no_sum() -> None:
    optimizer = ServerOptimizer(MOMENTUM)
    moved = optimizer.moved({"w": np.zeros(1)}, {"w": np.ones(1)})
    assert optimizer.moved(moved, {})["w"] == pytest.approx([0.5 + 0.45])


def test_adam_worked_by_hand() -> None:
    settings = ServerOptimizerSettings("adam", 0.1, server_momentum=0.5, server_second_moment=0.75, server_epsilon=2.0)
    optimizer = ServerOptimizer(settings)
    moved = optimizer.moved({"w": np.array([1.0])}, {"w": np.array([4.0])})
    # m = .5 · 4 = 2, v = .75 · 2² + .25 · 4² = 7
    assert moved["w"] == pytest.approx([1 + 0.1 * 2 / (math.sqrt(7) + 2)])
    assert optimizer.state == {FIRST + "w": pytest.approx([2.0]), SECOND + "w": pytest.approx([7.0])}
    again = optimizer.moved(moved, {"w": np.array([-4.0])})
    # m = .5 · 2 − .5 · 4 = −1, v = .75 · 7 + .25 · 16 = 9.25
    assert again["w"] == pytest.approx([moved["w"][0] - 0.1 / (math.sqrt(9.25) + 2)])


@pytest.mark.parametrize("settings", [SGD, MOMENTUM, ADAM])
def test_types_and_shapes_stay(settings: ServerOptimizerSettings) -> None:
    moved = ServerOptimizer(settings, is_statistic=is_variance).moved(model(), changes(1))
    assert {name: (t.shape, t.dtype) for name, t in moved.items()} == {
        n: (t.shape, t.dtype) for n, t in model().items()
    }


@pytest.mark.parametrize("settings", [MOMENTUM, ADAM])
def test_what_is_measured_takes_the_plain_sum_and_has_no_state(settings: ServerOptimizerSettings) -> None:
    optimizer = ServerOptimizer(settings, is_statistic=is_variance)
    sums = changes(2) | {"counter": np.array(2.6)}
    moved, expected = optimizer.moved(model(), sums), apply(model(), sums)
    for name in ("variance", "counter"):
        assert moved[name].tobytes() == expected[name].tobytes()
    assert {key.rpartition("/")[2] for key in optimizer.state} == {"matrix", "scalar"}


@given(
    st.lists(st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from([SGD, MOMENTUM, ADAM]),
)
def test_a_running_variance_stays_positive(rounds: list[list[float]], settings: ServerOptimizerSettings) -> None:
    optimizer = ServerOptimizer(settings, is_statistic=is_variance)
    now: Any = {"variance": np.ones(3, np.float32)}
    for measured in rounds:  # every site's own is positive, so their mean less the present one is the sum
        now = optimizer.moved(now, {"variance": np.array(measured) - now["variance"].astype(np.float64)})
        assert now["variance"].min() >= 0
        assert np.isfinite(now["variance"]).all()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_adam_moves_no_coordinate_further_than_its_bound(sums: list[float]) -> None:
    optimizer = ServerOptimizer(ADAM)
    now: Any = {"w": np.zeros(1)}
    for total in sums:
        before = now["w"][0]
        now = optimizer.moved(now, {"w": np.array([total])})
        assert abs(now["w"][0] - before) <= 0.01 / math.sqrt(1 - 0.99) * 1.01  # η √(1/(1 − β₂)), as |m| ≤ max |Δ|
        assert np.isfinite(now["w"]).all()


@pytest.mark.parametrize("settings", [MOMENTUM, ADAM])
def test_an_optimizer_that_continues_from_a_state_gives_the_same_bits(settings: ServerOptimizerSettings) -> None:
    through = ServerOptimizer(settings)
    now = through.moved(model(), changes(0))
    resumed = ServerOptimizer(settings, state={name: tensor.copy() for name, tensor in through.state.items()})
    there, here = through.moved(now, changes(1)), resumed.moved(now, changes(1))
    assert all(there[name].tobytes() == here[name].tobytes() for name in there)
    assert all(tensor.dtype == np.float32 for tensor in resumed.state.values())


@pytest.mark.parametrize("settings", [MOMENTUM, ADAM])
def test_tensors_one_by_one_give_the_same_as_all_together(settings: ServerOptimizerSettings) -> None:
    together, apart = ServerOptimizer(settings), ServerOptimizer(settings)
    for seed in range(2):
        whole = together.moved(model(), changes(seed))
        parts = {name: apart.moved({name: t}, {name: changes(seed)[name]})[name] for name, t in model().items()}
        assert all(whole[name].tobytes() == parts[name].tobytes() for name in whole)


@pytest.mark.parametrize("change", [{}, {"frozen": np.zeros(2)}], ids=["not sent", "zeros"])
@pytest.mark.parametrize("settings", [MOMENTUM, ADAM])
def test_a_tensor_that_never_moves_stays_where_it_is_without_a_state(
    settings: ServerOptimizerSettings, change: Arrays
) -> None:
    optimizer = ServerOptimizer(settings)
    base: Any = {"frozen": np.array([0.1, 0.2], np.float32)}
    assert optimizer.moved(base, change)["frozen"].tobytes() == base["frozen"].tobytes()
    assert optimizer.state == {}
