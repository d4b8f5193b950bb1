"""Intervals of recall over patients and runs, and of the paired difference of two methods.

The lowest of several noisy recalls lies below the lowest true one, the more so the more alike the sites are. So the
worst site is the one whose mean over all runs is lowest, not the mean of each run's lowest; what bias is left
understates a method that levels the sites.

Three seeds are few. Simulated with five sites of 128 studies (120 times), an interval of the mean over sites holds the
truth in 98 % of cases where seeds do not differ, in 95 % where they do by 2 points (standard deviation), in 84 % by 5.

Folds are runs as well: each trains anew, and training is noise too. Simulated with two equally good methods on five
folds of the real set's sizes (120 times), the interval of their paired difference leaves zero out in 2, 1 and 4 % of
cases where training differs by 0, 2 and 5 points (standard deviation) if runs are resampled, and in 10, 12.5 and 34 %
if they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from admin.study.compare.judge import Hits
from fedaid.evaluation.bootstrap import patient_weights

Floats = NDArray[np.float64]
Runs = Sequence[Mapping[str, Sequence[Hits]]]  # run → site → the hits of one model, or of several that are averaged
DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A value and the bounds of its bootstrap interval, in points of recall."""

    low: float
    mid: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Rounded to hundredths."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Resampled:
    """Recall of a method in every draw of the bootstrap, the first "draw" being the studies as they are.

    Attributes:
        mean: (1 + draws,) over sites.
        worst: (1 + draws,) of the site that is worst over all runs together, picked anew in every draw.
        above_chance: (1 + draws,) of the site that is worst by how far it is from a guess, 0, to all found, 100: where
            test sets are unlike, the lowest recall is that of the largest one. A site where a guess finds all is left
            out; 0 where there is no other.
        sites: site → (1 + draws,), over the runs.
    """

    mean: Floats
    worst: Floats
    above_chance: Floats
    sites: Mapping[str, Floats]


def resampled(runs: Runs, *, over_runs: bool, draws: int = DRAWS, seed: int = 0) -> Resampled:
    """Recalls under a bootstrap over patients, and over runs too.

    The draws depend on the numbers of run and site and the seed alone, so that two methods tested on the same patients
    are resampled alike and their difference is paired, while those of different sites know nothing of each other.

    Args:
        runs: of one method, in the order of seeds or folds; all have the same sites.
        over_runs: whether the runs are resampled as well, seeds or folds: true wherever the interval is to hold for
            another training of the method; false for these very models on other patients, which is narrower.
        draws: of the bootstrap.
        seed: of the draws.
    """
    names = list(runs[0])
    recalls = np.stack(
        [
            np.stack([resampled_site(run[name], draws=draws, seed=(seed, r, s)) for s, name in enumerate(names)])
            for r, run in enumerate(runs)
        ]
    )
    picks = np.tile(np.arange(len(runs)), (draws + 1, 1))
    if over_runs:
        picks[1:] = np.random.default_rng(seed).integers(len(runs), size=(draws, len(runs)))
    chosen = np.take_along_axis(recalls, picks.T[:, None, :], axis=0)  # (runs, sites, 1 + draws)
    by_site = chosen.mean(axis=0)
    sites = dict(zip(names, by_site, strict=True))
    chance = np.mean([[run[name][0].chance for name in names] for run in runs], axis=0)
    return Resampled(by_site.mean(axis=0), by_site.min(axis=0), least_above(chance, by_site), sites)


def least_above(chance: Floats, recalls: Floats) -> Floats:
    """(1 + draws,) how far the recall of the worst site is from chance, (sites,), to all found, in points."""
    telling = chance < 100
    guess = chance[telling, None]
    above: Floats = (100 * (recalls[telling] - guess) / (100 - guess)).min(axis=0, initial=100)
    return above if telling.any() else np.zeros_like(above)


def resampled_site(models: Sequence[Hits], *, draws: int, seed: int | Sequence[int]) -> Floats:
    """(1 + draws,) recall on one test set, its patients drawn with replacement; the mean over several models."""
    weights = patient_weights(models[0].patients, draws=draws, seed=seed)
    recall: Floats = np.mean([hits.recall(weights) for hits in models], axis=0)
    return recall


def interval(values: Floats) -> Interval:
    """The value as it is, and the percentiles of its draws; (1 + draws,)."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[1:], [tail, 1 - tail])
    return Interval(float(low), float(values[0]), float(high))
