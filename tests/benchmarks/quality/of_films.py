"""What a summary of films has beside the AUROC: each pair of classes apart, accuracy, and the linear probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from admin.study.compare.class_scores import ClassScores
from admin.study.compare.judge import hits_after
from admin.study.compare.trials import Result
from tests.benchmarks.quality.data.films import CLASSES

Values = dict[str, float]  # test set → mean over the runs, in points


def film_metrics(results: Mapping[str, Sequence[Result]]) -> dict[str, dict[str, Any]]:
    """Method → ``pairs`` (two classes → test set → AUROC), ``accuracy`` and ``probes`` (share → test set → AUROC)."""
    return {
        method: {"pairs": pairs_of(runs), "accuracy": accuracy_of(runs), "probes": probes_of(runs)}
        for method, runs in results.items()
        if any(result.get("probes") for result in runs)
    }


def scores_of(runs: Sequence[Result]) -> dict[str, list[ClassScores]]:
    """Test set → the class scores of all models of all runs."""
    found: dict[str, list[ClassScores]] = {}
    for result in runs:
        for test, models in hits_after(result).items():
            found.setdefault(test, []).extend(one for one in models if isinstance(one, ClassScores))
    return found


def pairs_of(runs: Sequence[Result]) -> dict[str, Values]:
    """ "one against other" → test set → AUROC in points."""
    found: dict[str, Values] = {}
    for test, models in scores_of(runs).items():
        by_pair = [one.pairs(np.ones((1, len(one.patients)))) for one in models]
        for one, other in by_pair[0]:
            values = [float(areas[one, other][0]) for areas in by_pair]
            name = f"{CLASSES[one]} against {CLASSES[other]}"
            found.setdefault(name, {})[test] = round(100 * float(np.nanmean(values)), 2)
    return found


def accuracy_of(runs: Sequence[Result]) -> Values:
    """Test set → share of right classes in points."""
    return {
        test: round(float(np.mean([one.accuracy() for one in models])), 2) for test, models in scores_of(runs).items()
    }


def probes_of(runs: Sequence[Result]) -> dict[str, Values]:
    """Percent of the training labels → test set → AUROC in points."""
    values: dict[str, dict[str, list[float]]] = {}
    for result in runs:
        for of in result["probes"].values():
            for test, by_share in of.items():
                for share, points in by_share.items():
                    values.setdefault(share, {}).setdefault(test, []).append(points)
    return {
        share: {test: round(float(np.mean(points)), 2) for test, points in of.items()} for share, of in values.items()
    }
