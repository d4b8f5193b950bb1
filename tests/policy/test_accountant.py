from __future__ import annotations

import math

import pytest

from hospital_policy.accountant import LARGEST, epsilon_of

# dp-accounting 0.6.0: PLDAccountant().compose(SelfComposedDpEvent(GaussianDpEvent(sigma), count)).get_epsilon(delta)
REFERENCE = [
    ({0.8: 1}, 1e-5, 5.679586857552093),
    ({0.8: 2}, 1e-5, 8.595865794249383),
    ({0.8: 10}, 1e-5, 23.995358989263888),
    ({4.0: 20}, 1e-5, 4.983306407376121),
    ({10.0: 100}, 1e-5, 4.37717810002493),
    ({50.0: 40}, 1e-6, 0.5102921957036834),
    ({2.0: 1}, 1e-3, 1.352276250668219),
    ({0.8: 3, 2.0: 5}, 1e-5, 12.785980910869922),
]


@pytest.mark.parametrize(("releases", "delta", "expected"), REFERENCE)
def test_the_privacy_loss_is_that_of_the_reference_library(
    releases: dict[float, int], delta: float, expected: float
) -> None:
    assert epsilon_of(releases, delta) == pytest.approx(expected, rel=1e-6)


def test_one_release_by_hand() -> None:
    """At ε = 1 and σ = 1: δ = Φ(−0.5) − e Φ(−1.5) = 0.308538 − 2.718282 · 0.066807 = 0.126937."""
    assert epsilon_of({1.0: 1}, 0.126937) == pytest.approx(1.0, abs=1e-4)


def test_nothing_released_costs_nothing_and_no_noise_costs_everything() -> None:
    assert epsilon_of({}, 1e-5) == 0.0
    assert epsilon_of({1e9: 1}, 1e-5) == 0.0
    assert epsilon_of({0.0: 1}, 1e-5) == math.inf
    assert epsilon_of({1e-9: 1}, 1e-5) == math.inf


def test_more_releases_and_less_noise_cost_more() -> None:
    assert epsilon_of({1.0: 1}, 1e-5) < epsilon_of({1.0: 2}, 1e-5) < epsilon_of({0.9: 2}, 1e-5)
    assert epsilon_of({1.0: 1}, 1e-5) < epsilon_of({1.0: 1}, 1e-6)


def test_no_threshold_tells_two_updates_apart_better_than_is_claimed() -> None:
    sigma, delta, cuts = 1.5, 1e-3, (-3, 0, 1, 2, 4, 6)
    epsilon = epsilon_of({sigma: 1}, delta)
    above = [[0.5 * math.erfc((cut - mean) / sigma / math.sqrt(2)) for cut in cuts] for mean in (1, 0)]
    worst = max(one - math.exp(epsilon) * other for one, other in zip(*above, strict=True))
    assert 0 < worst <= delta


def test_a_loss_below_the_largest_that_is_computed_is_finite() -> None:
    """Twelve updates with σ = 0.003: ε is about μ²/2 + 4.27 μ with μ = √12 / 0.003."""
    mu = math.sqrt(12) / 0.003
    assert epsilon_of({0.003: 12}, 1e-5) == pytest.approx(mu**2 / 2 + 4.27 * mu, rel=1e-3)
    assert LARGEST / 2 < epsilon_of({0.003: 12}, 1e-5) < LARGEST
    assert epsilon_of({0.002: 12}, 1e-5) == math.inf
