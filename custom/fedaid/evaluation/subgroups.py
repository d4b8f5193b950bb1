"""Metrics by group of patients, and the gap between groups: whether a model is worse for some patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, Weights, expanded_level, interval
from fedaid.evaluation.count_band import count_band

Metric = Callable[[Weights], Weights | None]


@dataclass(frozen=True)
class Gap:
    """The best and the worst group of a metric, and their difference on the same resamples of the patients.

    The groups are chosen by the same values that are compared, so many equal groups have a gap too.
    """

    best: str
    worst: str
    difference: Interval


@dataclass(frozen=True)
class Subgroups:
    """A metric by group.

    Attributes:
        patients: group → band of its number of patients, for the reported groups.
        metric: group → value with its interval; empty if the metric is undefined for one of them.
        gap: None for fewer than two groups.
    """

    patients: dict[str, str]
    metric: dict[str, Interval]
    gap: Gap | None


def large_groups(groups: Sequence[str], patients: NDArray[np.int64], *, least: int) -> dict[str, NDArray[np.bool_]]:
    """Group → which of the N studies are in it, for each group of at least ``least`` patients.

    A reader could compute the values of the unreported patients from those of all studies and of the reported groups.
    So if the unreported patients (of small groups and of no known group) are fewer than ``least``, the smallest
    reported group is also left out.

    Args:
        groups: group of each of the N studies; empty if unknown.
        patients: (N,), equal for studies of one patient.
        least: least number of patients of a reported group, and of all unreported patients together.
    """
    count = partial(count_of, patients)
    values = np.array(groups, dtype=np.str_)
    members = {str(group): values == group for group in np.unique(values) if group}
    shown = {group: inside for group, inside in members.items() if count(inside) >= least}
    while shown and 0 < count(~np.any(list(shown.values()), axis=0)) < least:
        del shown[min(shown, key=lambda group: count(shown[group]))]
    return shown


def count_of(patients: NDArray[np.int64], inside: NDArray[np.bool_]) -> int:
    """Number of patients of some of the studies."""
    return len(np.unique(patients[inside]))


def by_group(
    metric: Metric, groups: Sequence[str], patients: NDArray[np.int64], weights: Weights, *, least: int = 5,
    level: float = 0.95,
) -> Subgroups:  # fmt: skip
    """A metric of each large enough group, among all studies, and the gap between groups.

    Args:
        metric: weights (R, N) of the studies → (R,), or None if it is undefined.
        groups: group of each of the N studies, see :func:`large_groups`.
        patients: (N,).
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.
        least: least number of patients of a reported group.
        level: of the intervals, each corrected for its number of patients.
    """
    members = large_groups(groups, patients, least=least)
    counts = {group: count_of(patients, inside) for group, inside in members.items()}
    bands = {group: count_band(count, least=least) for group, count in counts.items()}
    levels = {group: expanded_level(level, count=count) for group, count in counts.items()}
    values = {group: metric(weights * inside) for group, inside in members.items()}
    said = {group: value for group, value in values.items() if value is not None and np.isfinite(value[0])}
    if len(said) < len(values):
        return Subgroups(bands, {}, None)
    shown = {group: interval(value, level=levels[group]) for group, value in said.items()}
    return Subgroups(bands, shown, _gap(said, levels))


def _gap(values: dict[str, Weights], levels: dict[str, float]) -> Gap | None:
    """The difference of the best and the worst group, with the level of the smaller of them."""
    if len(values) < 2:
        return None
    order = sorted(values, key=lambda group: float(values[group][0]))
    worst, best = order[0], order[-1]
    level = max(levels[best], levels[worst])
    return Gap(best, worst, interval(values[best] - values[worst], level=level))
