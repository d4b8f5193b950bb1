"""Which of five findings a study has: zero-shot classification among several classes, as on CheXpert 5×200."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, Weights, expanded_level, interval, weighted_mean
from fedaid.evaluation.count_band import count_band

Floats = NDArray[np.floating]
CLASSES = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")  # of CheXpert's competition
MOST = 200  # studies of a class


@dataclass(frozen=True)
class ClassResult:
    """One class.

    Attributes:
        patients: band of the number of patients whose studies were classified.
        accuracy: share of its studies that are given to it; None for too few patients.
    """

    patients: str
    accuracy: Interval | None = None


@dataclass(frozen=True)
class MulticlassResult:
    """Accuracy among the classes with enough patients; ``accuracy`` and ``chance`` are None for fewer than two.

    Attributes:
        classes: by finding.
        accuracy: mean over the classes, so that each has the same weight; the plain accuracy if all have as many
            studies.
        chance: one divided by the number of classes with enough patients.
    """

    classes: dict[str, ClassResult]
    accuracy: Interval | None = None
    chance: float | None = None


def exclusive(targets: Mapping[str, NDArray[np.float64]]) -> NDArray[np.int64]:
    """(N,) which of the K findings a study has if it has exactly one and surely none of the others, else −1.

    Args:
        targets: finding → (N,), 1, 0, or NaN if unknown.
    """
    table = np.stack(list(targets.values()))
    alone = ((table == 1).sum(axis=0) == 1) & ((table == 0).sum(axis=0) == len(table) - 1)
    return np.where(alone, np.argmax(table == 1, axis=0), -1)


def at_most(classes: NDArray[np.int64], most: int, *, seed: int) -> NDArray[np.int64]:
    """The classes with at most ``most`` studies of each, drawn at random; the others become −1."""
    kept = np.full_like(classes, -1)
    for number in np.unique(classes[classes >= 0]):
        rows = np.flatnonzero(classes == number)
        kept[np.random.default_rng((seed, int(number))).permutation(rows)[:most]] = number
    return kept


def multiclass(
    similarity: Mapping[str, Floats],
    targets: Mapping[str, NDArray[np.float64]],
    patients: NDArray[np.int64],
    weights: Weights,
    *,
    least: int = 5,
    level: float = 0.95,
    seed: int = 0,
) -> MulticlassResult:
    """Accuracy of giving each study to the class whose prompts are closest; of equal ones the first.

    Studies with exactly one of the classes are used, at most :data:`MOST` of each. A class of too few patients is left
    out, its studies and its prompts.

    Args:
        similarity: class → (N,) of the images to the class's positive prompts, finite.
        targets: class → (N,), 1, 0, or NaN if unknown.
        patients: (N,), equal for studies of one patient.
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.
        least: least number of patients of a class.
        level: of the intervals, corrected for the number of patients of the class, or of the smallest class.
        seed: of the draw.

    Source: CheXpert 5×200 of GLoRIA, Huang et al., ICCV 2021, https://doi.org/10.1109/ICCV48922.2021.00391: 200 studies
        of each of the competition's five findings that have none of the other four. A site rarely has as many.
    """
    if not targets:
        return MulticlassResult({})
    found = at_most(exclusive(targets), MOST, seed=seed)
    counts = [len(np.unique(patients[found == number])) for number in range(len(targets))]
    shown = [number for number, count in enumerate(counts) if count >= least]
    results = {name: ClassResult(count_band(count, least=least)) for name, count in zip(targets, counts, strict=True)}
    if len(shown) < 2:
        return MulticlassResult(results)
    names = list(targets)
    given = np.array(shown)[np.argmax([similarity[names[number]] for number in shown], axis=0)]
    hits = {number: weighted_mean((given == number) * 1.0, weights * (found == number)) for number in shown}
    levels = {number: expanded_level(level, count=counts[number]) for number in shown}
    for number, hit in hits.items():
        band = results[names[number]].patients
        results[names[number]] = ClassResult(band, interval(hit, level=levels[number]))
    mean = interval(np.mean(list(hits.values()), axis=0), level=max(levels.values()))
    return MulticlassResult(results, mean, 1 / len(shown))
