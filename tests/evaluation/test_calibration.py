from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.evaluation.classification import calibration_error


def test_a_value_worked_by_hand() -> None:
    # two bins of two: mean 0.2 against a share of 0, mean 0.7 against 1, so the mean of 0.2 and 0.3
    probability, positive = np.array([0.6, 0.1, 0.8, 0.3]), np.array([True, False, True, False])
    assert calibration_error(probability, positive, bins=2) == pytest.approx(0.25)


def test_always_the_prevalence_is_calibrated() -> None:
    assert calibration_error(np.full(8, 0.25), np.arange(8) < 2, bins=4) == pytest.approx(0)


def test_sure_and_wrong_is_the_worst() -> None:
    positive = np.arange(8) < 4
    assert calibration_error((~positive).astype(float), positive, bins=2) == 1


def test_one_bin_compares_the_means() -> None:
    drawn = np.random.default_rng(0).random(50)
    positive = np.arange(50) < 20
    assert calibration_error(drawn, positive, bins=1) == pytest.approx(abs(drawn.mean() - 0.4))


def test_different_probabilities_are_binned_as_a_slow_reference_does() -> None:
    rng = np.random.default_rng(1)
    probability, positive = rng.random(60), rng.random(60) < 0.3
    order = np.argsort(probability)
    parts = [order[start : start + 6] for start in range(0, 60, 6)]
    gaps = [abs(probability[part].mean() - positive[part].mean()) for part in parts]
    assert calibration_error(probability, positive, bins=10) == pytest.approx(np.mean(gaps))


def test_probabilities_that_mean_what_they_say_have_a_small_error() -> None:
    rng = np.random.default_rng(2)
    probability = rng.random(20_000)
    assert calibration_error(probability, rng.random(20_000) < probability) < 0.02


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30), st.integers(1, 12))
def test_the_order_of_the_studies_does_not_matter(drawn: list[tuple[int, bool]], bins: int) -> None:
    def error(rows: list[tuple[int, bool]]) -> float:
        return calibration_error(np.array([p / 4 for p, _ in rows]), np.array([b for _, b in rows]), bins=bins)

    assert 0 <= error(drawn) <= 1
    assert error(drawn[::-1]) == pytest.approx(error(drawn))
