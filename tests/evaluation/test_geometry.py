from __future__ import annotations

import math

import numpy as np
import pytest

from fedaid.evaluation import geometry
from fedaid.evaluation.bootstrap import interval, patient_weights
from fedaid.evaluation.geometry import alignment, modality_gap, uniformity

EYE = np.eye(4)
FOUR, ALL = np.arange(4), np.ones((1, 4))


def unit(rows: int, dim: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, dim))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def evenness(rows: np.ndarray) -> float:
    """Uniformity of studies of as many patients, without resampling."""
    return float(uniformity(rows, np.arange(len(rows)), np.ones((1, len(rows))))[0])


def test_alignment_is_the_mean_squared_distance() -> None:
    assert alignment(EYE, EYE, ALL) == 0
    assert alignment(EYE, -EYE, ALL) == 4
    assert alignment(EYE, EYE[[0, 1, 3, 2]], ALL) == 1  # two of four pairs at the squared distance 2


def test_a_resample_counts_a_study_as_often_as_it_was_drawn() -> None:
    drawn = np.array([[0.0, 0, 3, 1], [2, 2, 0, 0]])
    assert alignment(EYE, EYE[[0, 1, 3, 2]], drawn) == pytest.approx([2, 0])
    gap = modality_gap(EYE, EYE[[0, 1, 3, 2]], drawn)
    assert gap == pytest.approx([math.sqrt(0.5), 0])  # means (3, 1)/4 and (1, 3)/4 on the last two axes


def test_uniformity_of_a_known_geometry() -> None:
    assert evenness(EYE) == pytest.approx(-4)  # all at the squared distance 2
    assert evenness(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-8)
    assert evenness(np.tile(EYE[:1], (5, 1))) == pytest.approx(0)


def test_copies_of_a_patient_are_not_pairs() -> None:
    drawn = np.array([[3.0, 1, 0, 0], [4, 0, 0, 0]])
    assert uniformity(EYE, FOUR, drawn) == pytest.approx([-4, np.nan], nan_ok=True)  # only two studies make a pair
    twins = np.array([0, 0, 1, 1])
    turned = np.concatenate([EYE[:1], -EYE[:1], EYE[2:]])  # the first patient's own pair: at the squared distance 4
    expected = math.log((3 * math.exp(-8) + 1 * math.exp(-4) + 12 * math.exp(-4)) / 16)
    assert uniformity(turned, twins, np.array([[3.0, 3, 1, 1]])) == pytest.approx(expected)


@pytest.mark.parametrize("block", [7, 1024])
def test_uniformity_is_that_of_a_slow_reference(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(geometry, "BLOCK", block)
    rows, patients = unit(20, 3, 0), np.arange(20) // 2
    drawn = patient_weights(patients, draws=3)
    found = uniformity(rows.astype(np.float32), patients, drawn)
    for weight, value in zip(drawn, found, strict=True):
        copies = [(n, copy) for n in range(20) for copy in range(int(weight[n]))]
        pairs = [
            math.exp(-2 * ((rows[a] - rows[b]) ** 2).sum())
            for a, one in copies
            for b, other in copies
            if a != b and (patients[a] != patients[b] or one == other)
        ]
        assert value == pytest.approx(math.log(sum(pairs) / len(pairs)), abs=1e-5)


def test_random_directions_of_many_dimensions_are_nearly_orthogonal() -> None:
    assert evenness(unit(500, 256, 0)) == pytest.approx(-4, abs=0.05)


def test_the_gap_is_the_distance_of_the_means() -> None:
    assert modality_gap(EYE, EYE[[3, 2, 1, 0]], ALL) == 0
    assert modality_gap(np.array([[1.0, 0.0]] * 3), np.array([[0.0, 1.0]] * 3), np.ones((1, 3))) == pytest.approx(
        math.sqrt(2)
    )


def test_the_interval_of_uniformity_covers_that_of_all_patients() -> None:
    truth, found = evenness(centred(4000, 0)), 0
    for seed in range(1, 101):
        rows, patients = centred(60, seed), np.arange(60)
        low, _, high = interval(uniformity(rows, patients, patient_weights(patients, draws=200, seed=seed)))
        found += low <= truth <= high
    assert found >= 88  # of 100


def centred(rows: int, seed: int) -> np.ndarray:
    """Directions around one axis, as embeddings of a modality are."""
    drawn = np.random.default_rng(seed).normal(size=(rows, 8)) + 1.5 * np.eye(8)[0]
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
