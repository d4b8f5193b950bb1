from __future__ import annotations

import numpy as np
import pytest

from fedaid.evaluation.bootstrap import Weights, patient_weights, weighted_mean
from fedaid.evaluation.subgroups import by_group, large_groups

GROUPS = ["F"] * 6 + ["M"] * 6 + ["O"] * 2 + [""] * 4
PATIENTS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 10, 11, 12, 13, 14, 15])
HITS = np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0], dtype=float)
WEIGHTS = patient_weights(PATIENTS, draws=300)


def mean(weights: Weights) -> Weights:
    return weighted_mean(HITS, weights)


def test_a_group_below_the_least_number_of_patients_and_what_is_not_known_stay_out() -> None:
    assert set(large_groups(GROUPS, PATIENTS, least=3)) == {"F", "M"}
    assert set(large_groups(GROUPS, PATIENTS, least=2)) == {"F", "M", "O"}


def test_no_group_is_shown_that_tells_what_a_small_one_reaches() -> None:
    groups = ["F"] * 6 + ["M"] * 5 + ["O"] * 2
    assert set(large_groups(groups, np.arange(13), least=3)) == {"F"}, "M and O are left over together"
    assert set(large_groups(groups[:11], np.arange(11), least=3)) == {"F", "M"}, "nobody is left over"
    assert set(large_groups([*groups, ""], np.arange(14), least=3)) == {"F", "M"}, "three are left over"
    assert large_groups(["F"] * 6 + ["O"] * 2, np.arange(8), least=3) == {}


def test_a_patient_of_an_unknown_group_is_left_over_too() -> None:
    assert set(large_groups(["F"] * 6 + ["M"] * 5 + [""], np.arange(12), least=3)) == {"F"}


def test_patients_are_counted_and_not_studies() -> None:
    assert set(large_groups(GROUPS, PATIENTS, least=5)) == {"F"}


def test_the_metric_of_a_group_is_that_of_its_studies() -> None:
    found = by_group(mean, GROUPS, PATIENTS, WEIGHTS, least=3)
    assert {group: value.mid for group, value in found.metric.items()} == pytest.approx({"F": 5 / 6, "M": 1 / 6})
    assert found.patients == {"F": "5-9", "M": "3-4"}


def test_the_gap_is_between_the_best_group_and_the_worst() -> None:
    gap = by_group(mean, GROUPS, PATIENTS, WEIGHTS, least=3).gap
    assert gap is not None
    assert (gap.best, gap.worst) == ("F", "M")
    assert gap.difference.mid == pytest.approx(4 / 6)
    assert gap.difference.low < gap.difference.mid < gap.difference.high <= 1


def test_one_group_has_no_gap() -> None:
    found = by_group(mean, GROUPS, PATIENTS, WEIGHTS, least=5)
    assert set(found.metric) == {"F"}
    assert found.gap is None


def test_no_group_at_all_is_no_error() -> None:
    found = by_group(mean, [""] * len(GROUPS), PATIENTS, WEIGHTS)
    assert (found.patients, found.metric, found.gap) == ({}, {}, None)


def test_a_metric_that_cannot_be_said_for_one_group_is_not_said_for_any() -> None:
    found = by_group(lambda weights: None, GROUPS, PATIENTS, WEIGHTS, least=3)
    assert (found.metric, found.gap) == ({}, None)
    assert found.patients == {"F": "5-9", "M": "3-4"}
