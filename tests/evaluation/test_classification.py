from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from fedaid.evaluation.bootstrap import patient_weights
from fedaid.evaluation.classification import auroc, average_precision, best_threshold, f1_score

ONCE = np.ones((1, 4))
SCORES, POSITIVE = np.array([0.9, 0.7, 0.4, 0.2]), np.array([True, False, True, False])

studies = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=40).filter(
    lambda drawn: len({positive for _, positive in drawn}) == 2
)


def columns(drawn: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in drawn], dtype=float), np.array([positive for _, positive in drawn])


def test_values_worked_by_hand() -> None:
    # of four pairs of a positive and a negative three are in order; precision is 1 at the first and 2/3 at the second
    assert auroc(SCORES, POSITIVE, ONCE).tolist() == [0.75]
    assert average_precision(SCORES, POSITIVE, ONCE) == pytest.approx((1 + 2 / 3) / 2)
    assert f1_score(SCORES >= 0.4, POSITIVE, ONCE) == pytest.approx(2 * 2 / (3 + 2))


def test_ties_count_half() -> None:
    assert auroc(np.zeros(4), POSITIVE, ONCE).tolist() == [0.5]
    assert average_precision(np.zeros(4), POSITIVE, ONCE).tolist() == [0.5]


@given(studies)
def test_without_a_draw_they_are_those_of_scikit_learn(drawn: list[tuple[int, bool]]) -> None:
    scores, positive = columns(drawn)
    once = np.ones((1, len(scores)))
    assert auroc(scores, positive, once)[0] == pytest.approx(metrics.roc_auc_score(positive, scores))
    precision = metrics.average_precision_score(positive, scores)
    assert average_precision(scores, positive, once)[0] == pytest.approx(precision)
    flagged = scores >= 3
    assert f1_score(flagged, positive, once)[0] == pytest.approx(metrics.f1_score(positive, flagged, zero_division=0))


@given(studies, st.integers(0, 1000))
def test_a_resample_is_the_metric_of_the_studies_that_it_holds(drawn: list[tuple[int, bool]], seed: int) -> None:
    scores, positive = columns(drawn)
    patients = np.random.default_rng(seed).integers(0, 6, len(scores))
    weights = patient_weights(patients, draws=5, seed=seed)
    areas, precisions = auroc(scores, positive, weights), average_precision(scores, positive, weights)
    f1 = f1_score(scores >= 2, positive, weights)
    for number, row in enumerate(weights.astype(int)):
        s, p = np.repeat(scores, row), np.repeat(positive, row)
        if p.any():
            assert precisions[number] == pytest.approx(metrics.average_precision_score(p, s))
            assert f1[number] == pytest.approx(metrics.f1_score(p, s >= 2, zero_division=0))
        else:
            assert np.isnan([areas[number], precisions[number], f1[number]]).all()
        if p.any() and not p.all():
            assert areas[number] == pytest.approx(metrics.roc_auc_score(p, s))
        else:
            assert np.isnan(areas[number])


@given(studies)
def test_turned_scores_turn_the_area(drawn: list[tuple[int, bool]]) -> None:
    scores, positive = columns(drawn)
    once = np.ones((1, len(scores)))
    assert auroc(-scores, positive, once)[0] == pytest.approx(1 - auroc(scores, positive, once)[0])


@given(studies)
def test_no_threshold_has_a_higher_f1_than_the_best(drawn: list[tuple[int, bool]]) -> None:
    scores, positive = columns(drawn)
    best = metrics.f1_score(positive, scores >= best_threshold(scores, positive), zero_division=0)
    others = [metrics.f1_score(positive, scores >= one, zero_division=0) for one in (*scores, -1, 9)]
    assert best == pytest.approx(max(others))


def test_of_equally_good_thresholds_the_highest_is_taken() -> None:
    assert best_threshold(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, False])) == 1
    assert best_threshold(np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, False, True])) == 3
