"""Whether a model serves some patients worse than others: retrieval and AUROC by group, and the gap between groups."""

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
    """The best group of a metric, the worst, and how far they are apart on the same resamples of the patients.

    Best and worst are picked by the values that are compared, so that of many equal groups a gap is found as well.
    """

    best: str
    worst: str
    difference: Interval


@dataclass(frozen=True)
class Subgroups:
    """A metric by group.

    Attributes:
        patients: group → patients, as a band; groups that are not shown are not there.
        metric: group → value with its interval; empty if the metric cannot be said for one of them.
        gap: None for fewer than two groups.
    """

    patients: dict[str, str]
    metric: dict[str, Interval]
    gap: Gap | None


def large_groups(groups: Sequence[str], patients: NDArray[np.int64], *, least: int) -> dict[str, NDArray[np.bool_]]:
    """Group → which of the N studies are in it, for each group of at least so many patients.

    What is not shown could be told from all studies and the shown groups. So where fewer patients than that would be
    left over, those of small groups and of no known group together, the smallest shown group is left over with them.

    Args:
        groups: of the N studies; an empty one is not known and stays out.
        patients: (N,), equal for studies of one patient.
        least: patients that a group needs to be shown, and that what is not shown has if it has any.
    """
    count = partial(count_of, patients)
    values = np.array(groups, dtype=np.str_)
    members = {str(group): values == group for group in np.unique(values) if group}
    shown = {group: inside for group, inside in members.items() if count(inside) >= least}
    while shown and 0 < count(~np.any(list(shown.values()), axis=0)) < least:
        del shown[min(shown, key=lambda group: count(shown[group]))]
    return shown


def count_of(patients: NDArray[np.int64], inside: NDArray[np.bool_]) -> int:
    """How many patients some of the studies are of."""
    return len(np.unique(patients[inside]))


def by_group(
    metric: Metric, groups: Sequence[str], patients: NDArray[np.int64], weights: Weights, *, least: int = 5,
    level: float = 0.95,
) -> Subgroups:  # fmt: skip
    """A metric of each large enough group, each among all the studies as before, and the gap between them.

    Args:
        metric: from weights (R, N) of the studies to (R,), or None if it cannot be said for them.
        groups: of the N studies, see :func:`large_groups`.
        patients: (N,).
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.
        least: patients that a group needs to be shown.
        level: of the intervals, each as wide as its number of patients asks for.
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
    """How far the best group is from the worst, with the level that the smaller of them asks for."""
    if len(values) < 2:
        return None
    order = sorted(values, key=lambda group: float(values[group][0]))
    worst, best = order[0], order[-1]
    level = max(levels[best], levels[worst])
    return Gap(best, worst, interval(values[best] - values[worst], level=level))
