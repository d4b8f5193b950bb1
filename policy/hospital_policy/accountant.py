"""The privacy loss of updates with Gaussian noise, exact."""

from __future__ import annotations

import math
from collections.abc import Mapping

LARGEST = 1e6  # of an epsilon that is still computed; above it is no privacy to speak of


def epsilon_of(releases: Mapping[float, int], delta: float) -> float:
    """The smallest ε for which all releases together are (ε, δ)-differentially private.

    The unit of privacy is one update of the site: with or without it. A release is an update clipped to norm C with
    noise of standard deviation σC on each number, without sampling. k such releases have the loss of one with noise
    σ/√k; releases with several σ have that of one with 1/σ² = Σ 1/σ_i².

    Args:
        releases: noise multiplier σ → number of releases.
        delta: in (0, 1).

    Returns:
        At least 0, rounded up by less than 1e-9; infinity if a σ is 0, or above :data:`LARGEST`.

    Source: Balle and Wang, arXiv:1805.06530, theorem 8. Equal to google's dp-accounting within its discretisation; that
    package is not used, because it needs an older attrs than FLARE's other packages bring.
    """
    if any(count and sigma <= 0 for sigma, count in releases.items()):
        return math.inf
    precision = sum(count / sigma**2 for sigma, count in releases.items())
    if precision == 0:
        return 0.0
    mu = math.sqrt(precision)  # the sensitivity in standard deviations of the noise
    if delta_of(0.0, mu) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while delta_of(high, mu) > delta:
        if high == LARGEST:
            return math.inf
        low, high = high, min(2 * high, LARGEST)
    while high - low > 1e-9 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, mu) > delta else (low, middle)
    return high


def delta_of(epsilon: float, mu: float) -> float:
    """The δ of a Gaussian release at ε: Φ(μ/2 − ε/μ) − exp(ε) Φ(−μ/2 − ε/μ)."""
    first = log_normal(mu / 2 - epsilon / mu)
    second = epsilon + log_normal(-mu / 2 - epsilon / mu)
    return math.exp(first) * -math.expm1(min(second - first, 0.0))


def log_normal(x: float) -> float:
    """The logarithm of the standard normal distribution function, accurate far below 0."""
    if x > -10:
        return math.log(math.erfc(-x / math.sqrt(2)) / 2)
    series = 1 - 1 / x**2 + 3 / x**4 - 15 / x**6 + 105 / x**8
    return -(x**2) / 2 - math.log(-x * math.sqrt(2 * math.pi)) + math.log(series)
