"""How far the recall of one model lies from another's, on the same test studies and the same resamples of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, expanded_level, interval, patient_weights
from fedaid.evaluation.evaluation_settings import EvaluationSettings
from fedaid.evaluation.retrieval import Ranks, resampled_retrieval

METRIC, CUT_OFF = "recall_at_5", 5


def recall_difference(
    ranks: Ranks, other: Ranks, patients: NDArray[np.int64], settings: EvaluationSettings
) -> Interval:
    """R@5, the mean of both ways, of one model minus that of another, with its interval over patients.

    The value is the difference of what the suite gives for either. A mean over studies, as ``paired_difference`` takes
    it, would not be: from report to image each different text is one query.

    Args:
        ranks: of all test studies under the one model.
        other: of the same studies in the same order under the other.
        patients: (N,), equal for studies of one patient.
        settings: draws, seed and level; the interval is as wide as the number of patients asks for.
    """
    weights = patient_weights(patients, draws=settings.draws, seed=settings.seed)
    found, before = (resampled_retrieval(one, weights, ks=(CUT_OFF,))[METRIC] for one in (ranks, other))
    level = expanded_level(settings.level, count=len(np.unique(patients)))
    return interval(found - before, level=level)
