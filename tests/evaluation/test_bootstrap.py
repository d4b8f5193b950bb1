from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.evaluation.bootstrap import (
    bootstrap_mean,
    expanded_level,
    interval,
    paired_difference,
    patient_weights,
    weighted_mean,
)


def drawn(rng: np.random.Generator, *, patients: int, studies: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of patients with many studies that are much alike: variance 1 between patients, 0.1 within; mean 3."""
    number = np.repeat(np.arange(patients), studies)
    return 3 + rng.normal(size=patients)[number] + rng.normal(scale=0.1**0.5, size=len(number)), number


def test_the_first_row_is_the_data_as_they_are() -> None:
    weights = patient_weights(np.array([4, 4, 9]), draws=20)
    assert weights.shape == (21, 3)
    assert weights[0].tolist() == [1, 1, 1]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 2**31))
def test_studies_of_a_patient_are_drawn_together_and_as_many_patients_as_there_are(
    patients: list[int], seed: int
) -> None:
    numbers = np.array(patients)
    weights = patient_weights(numbers, draws=7, seed=seed)
    for patient in set(patients):
        assert (weights[:, numbers == patient] == weights[:, numbers == patient][:, :1]).all()
    first = np.unique(numbers, return_index=True)[1]
    assert (weights[:, first].sum(axis=1) == len(first)).all()


def test_a_weighted_mean_is_the_mean_of_the_drawn_studies() -> None:
    rng = np.random.default_rng(0)
    numbers, values = rng.integers(0, 8, 30), rng.normal(size=(30, 2))
    weights = patient_weights(numbers, draws=25)
    for row, mean in zip(weights, weighted_mean(values, weights), strict=True):
        assert mean == pytest.approx(np.repeat(values, row.astype(int), axis=0).mean(axis=0))


def test_the_limits_are_percentiles_of_the_resamples_and_the_middle_is_the_data() -> None:
    found = interval(np.array([7.0, *range(101)]), level=0.9)
    assert found == pytest.approx((5, 7, 95))


def test_one_patient_has_no_width() -> None:
    assert bootstrap_mean(np.array([0.0, 1.0]), np.array([3, 3])) == (0.5, 0.5, 0.5)


def test_resamples_without_a_value_are_left_out() -> None:
    assert interval(np.array([2.0, *[1.0, np.nan, 3.0] * 10]), level=0.999) == (1, 2, 3)


def test_no_interval_is_given_where_half_of_the_resamples_have_no_value() -> None:
    found = interval(np.array([2.0, np.nan, np.nan, 3.0, 1.0]))
    assert found.mid == 2
    assert np.isnan([found.low, found.high]).all()


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    values, numbers = drawn(np.random.default_rng(0), patients=30, studies=2)
    assert bootstrap_mean(values, numbers, seed=1) == bootstrap_mean(values, numbers, seed=1)
    assert bootstrap_mean(values, numbers, seed=1) != bootstrap_mean(values, numbers, seed=2)


def test_the_interval_covers_the_truth_as_often_as_it_says_and_one_over_studies_does_not() -> None:
    rng = np.random.default_rng(0)
    by_patient, by_study = 0, 0
    for seed in range(300):
        values, numbers = drawn(rng, patients=40, studies=8)
        over_patients = bootstrap_mean(values, numbers, draws=400, seed=seed)
        over_studies = bootstrap_mean(values, np.arange(len(values)), draws=400, seed=seed)
        by_patient += over_patients.low <= 3 <= over_patients.high
        by_study += over_studies.low <= 3 <= over_studies.high
    assert 0.91 <= by_patient / 300 <= 0.98
    assert by_study / 300 < 0.7


def test_the_expanded_level_worked_by_hand_and_of_many_patients() -> None:
    assert expanded_level(0.95, count=10) == pytest.approx(0.98289, abs=1e-5)  # √(10/9) · 2.2622 = 2.3845
    assert expanded_level(0.95, count=10**6) == pytest.approx(0.95, abs=1e-5)


def test_of_few_patients_the_expanded_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    plain, expanded, level = 0, 0, expanded_level(0.95, count=8)
    for seed in range(400):
        values, numbers = drawn(rng, patients=8, studies=2)
        first, second = (bootstrap_mean(values, numbers, seed=seed, level=share) for share in (0.95, level))
        plain += first.low <= 3 <= first.high
        expanded += second.low <= 3 <= second.high
    assert plain / 400 < 0.92
    assert 0.925 <= expanded / 400 <= 0.985


def test_a_limit_is_never_one_of_the_outermost_resamples_however_few_the_patients() -> None:
    resamples = np.arange(1000.0)  # in order, so that a limit is the number of its resample
    level = expanded_level(0.99, count=5)
    assert (1 - level) / 2 * 1000 < 0.1, "by the level alone it would be the first"
    found = interval(np.concatenate([[500.0], resamples]), level=level)
    assert found == pytest.approx((4.995, 500, 994.005))


def test_a_paired_difference_is_narrower_than_the_two_apart() -> None:
    rng = np.random.default_rng(0)
    hard, numbers = drawn(rng, patients=40, studies=3)
    better = hard + 0.2 + rng.normal(scale=0.1, size=len(hard))
    found = paired_difference(better, hard, numbers)
    assert found.low < 0.2 < found.high
    assert found.low > 0.1
    assert bootstrap_mean(hard, numbers).high > bootstrap_mean(better, numbers).low


def test_the_difference_worked_by_hand() -> None:
    # patient 0: +1 and 0, patient 1: +1; drawn twice each or once each, the mean is 1/2, 1 or 2/3
    found = paired_difference(np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0]), np.array([0, 0, 1]), draws=400)
    assert found == pytest.approx((0.5, 2 / 3, 1.0))


@given(st.integers(0, 100))
def test_a_model_does_not_differ_from_itself(seed: int) -> None:
    values, numbers = drawn(np.random.default_rng(seed), patients=5, studies=2)
    assert paired_difference(values, values, numbers, draws=20, seed=seed) == (0, 0, 0)
