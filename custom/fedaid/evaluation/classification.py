"""Metrics of scores for a finding, computed on all resamples of the patients together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.floating]
Weights = NDArray[np.float64]


def auroc(scores: Floats, positive: NDArray[np.bool_], weights: Weights) -> Weights:
    """Area under the ROC curve: the probability that a positive scores above a negative; ties count half.

    Args:
        scores: (N,), finite.
        positive: (N,).
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.

    Returns:
        Shape (R,), in [0, 1]; NaN for a row without positives or without negatives.
    """
    hits, alarms = _by_score(scores, positive, weights)
    below = np.cumsum(alarms[:, ::-1], axis=1)[:, ::-1] - alarms  # negatives that score lower
    with np.errstate(invalid="ignore"):
        area: Weights = (hits * (below + alarms / 2)).sum(axis=1) / (hits.sum(axis=1) * alarms.sum(axis=1))
    return area


def average_precision(scores: Floats, positive: NDArray[np.bool_], weights: Weights) -> Weights:
    """Precision averaged over the positives, with the score of each as the threshold.

    Arguments as of :func:`auroc`. Random scores give the share of positives.

    Returns:
        Shape (R,), in (0, 1]; NaN for a row without positives.
    """
    hits, alarms = _by_score(scores, positive, weights)
    found = np.cumsum(hits, axis=1)
    with np.errstate(invalid="ignore"):
        precision = found / (found + np.cumsum(alarms, axis=1))
        mean: Weights = (hits * np.where(hits > 0, precision, 0)).sum(axis=1) / found[:, -1]
    return mean


def f1_score(flagged: NDArray[np.bool_], positive: NDArray[np.bool_], weights: Weights) -> Weights:
    """F1 of the flagged studies, (N,): harmonic mean of precision and sensitivity, 0 if no positive is flagged.

    Returns:
        Shape (R,), in [0, 1]; NaN for a row without positives.
    """
    found, called, true = (weights @ one.astype(np.float64) for one in (flagged & positive, flagged, positive))
    with np.errstate(invalid="ignore"):
        return np.where(true > 0, 2 * found / (called + true), np.nan)


def best_threshold(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """The threshold with the highest F1, for scores at or above it; the largest if there are several.

    Args:
        scores: (N,), of the validation split, finite.
        positive: (N,), with at least one true.
    """
    candidates, number = np.unique(-scores, return_inverse=True)
    found = np.cumsum(np.bincount(number, weights=positive, minlength=len(candidates)))
    called = np.cumsum(np.bincount(number, minlength=len(candidates)))
    return float(-candidates[np.argmax(2 * found / (called + positive.sum()))])


def _by_score(scores: Floats, positive: NDArray[np.bool_], weights: Weights) -> tuple[Weights, Weights]:
    """Weight of the positives and of the negatives at each distinct score, (R, T) both, the highest score first."""
    order = np.argsort(-scores, kind="stable")
    ordered, is_positive, weight = scores[order], positive[order], weights[:, order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return np.add.reduceat(weight * is_positive, first, axis=1), np.add.reduceat(weight * ~is_positive, first, axis=1)


def calibration_error(probability: NDArray[np.floating], positive: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error over bins of equally many studies, in [0, 1].

    In each bin the mean probability is compared with the share of positives; the differences are averaged by the number
    of studies. Bins of equal mass are never empty, also if all probabilities are similar.

    Args:
        probability: (N,), in [0, 1]; equal ones are in one bin, so that the order of the studies has no effect.
        positive: (N,).
        bins: largest number of bins; without equal probabilities their sizes differ by at most one.

    Source: Naeini et al., AAAI 2015; the bins of equal mass are those of Nixon et al., arXiv:1904.01685.
    """
    place = (rankdata(probability, method="average") - 0.5) / len(probability)
    number = np.floor(bins * place).astype(np.int64)
    excess = np.bincount(number, weights=probability - positive)
    return float(np.abs(excess).sum() / len(probability))
