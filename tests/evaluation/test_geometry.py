from __future__ import annotations

import math

import numpy as np
import pytest

from fedaid.evaluation import geometry
from fedaid.evaluation.geometry import alignment, modality_gap, uniformity

EYE = np.eye(4)


def unit(rows: int, dim: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, dim))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_alignment_is_the_mean_squared_distance() -> None:
    assert alignment(EYE, EYE) == 0
    assert alignment(EYE, -EYE) == 4
    assert alignment(EYE, EYE[[0, 1, 3, 2]]) == 1  # two of four pairs at the squared distance 2


def test_uniformity_of_a_known_geometry() -> None:
    assert uniformity(EYE) == pytest.approx(-4)  # all at the squared distance 2
    assert uniformity(np.array([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-8)
    assert uniformity(np.tile(EYE[:1], (5, 1))) == pytest.approx(0)


def test_uniformity_is_that_of_a_slow_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "BLOCK", 7)
    rows = unit(20, 3, 0)
    pairs = [math.exp(-2 * ((a - b) ** 2).sum()) for i, a in enumerate(rows) for b in rows[:i]]
    assert uniformity(rows.astype(np.float32)) == pytest.approx(math.log(sum(pairs) / len(pairs)), abs=1e-5)


def test_random_directions_of_many_dimensions_are_nearly_orthogonal() -> None:
    assert uniformity(unit(500, 256, 0)) == pytest.approx(-4, abs=0.05)


def test_the_gap_is_the_distance_of_the_means() -> None:
    assert modality_gap(EYE, EYE[[3, 2, 1, 0]]) == 0
    assert modality_gap(np.array([[1.0, 0.0]] * 3), np.array([[0.0, 1.0]] * 3)) == pytest.approx(math.sqrt(2))
