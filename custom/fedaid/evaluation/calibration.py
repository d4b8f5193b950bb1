"""Whether a probability means what it says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def calibration_error(probability: NDArray[np.floating], positive: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error over bins of equally many studies, in [0, 1].

    In each bin the mean probability is compared with the share of positives; the differences are averaged by the number
    of studies. Bins of equal mass have no empty ones where all probabilities lie close together.

    Args:
        probability: (N,), in [0, 1]; equal ones stay in one bin, so that the order of the studies does not matter.
        positive: (N,).
        bins: at most; without equal probabilities their sizes differ by one at most.

    Source: Naeini et al., AAAI 2015; the bins of equal mass are those of Nixon et al., arXiv:1904.01685.
    """
    place = (rankdata(probability, method="average") - 0.5) / len(probability)
    number = np.floor(bins * place).astype(np.int64)
    excess = np.bincount(number, weights=probability - positive)
    return float(np.abs(excess).sum() / len(probability))
