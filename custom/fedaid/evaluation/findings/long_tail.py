"""Average precision over the findings, and over the common and the rare ones of a site apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, Weights, interval

HEAD, TAIL = 0.1, 0.01  # shares of the training patients, our choice: above the first is common, below the second rare
BINS = ("head", "medium", "tail")


@dataclass(frozen=True)
class MeanPrecision:
    """The mean average precision of some findings.

    Attributes:
        findings: their number.
        value: with its interval over patients.
        chance: the mean share of positives, which random scores reach; to one digit, so that it gives no exact count.
    """

    findings: int
    value: Interval
    chance: float


def bin_of(target: NDArray[np.float64], patients: NDArray[np.int64], *, least: int) -> str | None:
    """Whether a finding is common at a site: one of :data:`BINS` by its share of the training patients.

    Fewer than ``least`` patients with the finding count as ``least``, so that the bin tells no smaller number. So a
    finding can be in the tail only if the site has at least 100 times ``least`` training patients.

    Args:
        target: (N,) of the training split, 1, 0, or NaN if the finding is unknown.
        patients: (N,), equal for studies of one patient.
        least: least number of patients that may be told.

    Returns:
        None if fewer than ``least`` patients have a label.

    Source: the idea of common and rare classes apart is that of long-tailed benchmarks (CXR-LT, arXiv:2310.16112). The
        limits of 10 % and 1 % of one site's training patients are ours: do not compare a bin with a published one.
    """
    known, having = (len(np.unique(patients[rows])) for rows in (~np.isnan(target), target == 1))
    if known < least:
        return None
    share = max(having, least) / known
    return BINS[0] if share > HEAD else BINS[1] if share >= TAIL else BINS[2]


def mean_precision(
    precisions: Sequence[Weights], shares: Sequence[float], *, level: float = 0.95
) -> MeanPrecision | None:
    """The mean over findings, the first metric of CXR-LT; None without a finding.

    Args:
        precisions: (R,) of each finding.
        shares: of positives among the studies of each finding.
        level: of the interval.
    """
    if not precisions:
        return None
    return MeanPrecision(
        len(precisions), interval(np.mean(precisions, axis=0), level=level), one_digit(np.mean(shares))
    )


def one_digit(share: float | np.floating) -> float:
    """A number with its first significant digit only: 0.23 as 0.2, 0.047 as 0.05."""
    return float(f"{share:.0e}")
