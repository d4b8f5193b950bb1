"""Percentile intervals of metrics over resampled patients: how much a metric could change with other patients.

Studies of one patient are similar, so patients are drawn, not studies. A resample is a weight for each study: how often
its patient was drawn. A metric with weights is computed on all resamples together. The first row of weights is ones,
for the data without resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Weights = NDArray[np.float64]
BEYOND = (
    5  # least number of resamples beyond each limit: a single one could reveal a study to a reader who knows the seed
)


class Interval(NamedTuple):
    """The value of a metric without resampling, and the limits of its interval; NaN if there is none."""

    low: float
    mid: float
    high: float


def patient_weights(patients: NDArray[np.int64], *, draws: int = 1000, seed: int | Sequence[int] = 0) -> Weights:
    """How often each study occurs, without resampling and in each resample of the patients with replacement.

    Args:
        patients: (N,), equal for studies of one patient, N at least 1.
        draws: number of resamples B.
        seed: of the draws; equal patients and seeds give equal resamples, so that two metrics can be compared.

    Returns:
        Shape (1 + B, N): the first row ones, then one row a resample.

    Source: the cluster bootstrap, Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8.
    """
    names, number = np.unique(patients, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return np.concatenate([np.ones((1, len(patients))), drawn[:, number]])


def weighted_mean(values: Floats, weights: Weights) -> NDArray[np.float64]:
    """Mean of the studies' values under each row of weights; NaN where a resample has none of them.

    Args:
        values: (N,) or (N, K).
        weights: (1 + B, N).

    Returns:
        Shape (1 + B,) or (1 + B, K).
    """
    total = weights.sum(axis=1).reshape(-1, *[1] * (values.ndim - 1))
    with np.errstate(invalid="ignore"):
        mean: NDArray[np.float64] = weights @ values / total
    return mean


def interval(metric: NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """The percentile interval of a metric of all rows of weights.

    A resample without a defined metric, for example without a positive, is left out; if that is half of them, there is
    no interval. A limit is never one of the outermost resamples, for any level.

    Args:
        metric: (1 + B,), first the value without resampling.
        level: share of the resamples between the limits.
    """
    drawn = metric[1:][np.isfinite(metric[1:])]
    if not np.isfinite(metric[0]) or 2 * len(drawn) <= len(metric) - 1:
        return Interval(np.nan, float(metric[0]), np.nan)
    tail = min(max((1 - level) / 2, BEYOND / len(drawn)), 0.5)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(low), float(metric[0]), float(high))


def expanded_level(level: float, *, count: int) -> float:
    """The share of resamples between the limits that gives an interval over few patients its nominal level.

    Resamples of n patients vary less than n new patients would, and their variance is an estimate. So plain percentiles
    are too close together, by a fifth for ten patients. A larger share of the resamples corrects that.

    Args:
        level: nominal level of the interval.
        count: of patients, at least 2.

    Source: the expanded percentile interval, Hesterberg, The American Statistician 69(4), 2015, pp. 371–386: each tail
        is that of the normal distribution beyond √(n/(n−1)) times the quantile of t with n − 1 degrees of freedom.
    """
    from scipy.special import ndtr, stdtrit  # slow to import, and a site that only trains does not need it

    return float(1 - 2 * ndtr(np.sqrt(count / (count - 1)) * stdtrit(count - 1, (1 - level) / 2)))


def bootstrap_mean(
    values: Floats, patients: NDArray[np.int64], *, draws: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """The mean of the studies' values, (N,), with its interval over the patients, (N,)."""
    weights = patient_weights(patients, draws=draws, seed=seed)
    return interval(weighted_mean(values, weights), level=level)


def paired_difference(
    first: Floats, second: Floats, patients: NDArray[np.int64], *, draws: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """The mean of ``first`` minus that of ``second``, with its interval over the patients of both.

    Args:
        first: (N,) a value of each study under one model, for example whether it was found.
        second: (N,) under another model, for the same studies in the same order.
        patients: (N,).
        draws: number of resamples.
        seed: of the draws.
        level: share of the resamples between the limits.
    """
    return bootstrap_mean(first - second, patients, draws=draws, seed=seed, level=level)
