from __future__ import annotations

from typing import Any

import pytest

from admin.results.weight_bounds import weight_faults

PATH = "config_fed_server.workflows.fedaid.args."


def faults(weights: list[float], **settings: Any) -> list[str]:
    by_path = {f"{PATH}{name}": value for name, value in settings.items()}
    other = {"config_fed_client.executors.0.executor.args.rho": 9.0}
    return list(weight_faults(dict(zip("abc", weights, strict=True)), by_path | other))


@pytest.mark.parametrize("weights", [[0.5, 0.5, 0.1], [1.1, -0.1, 0.0], [float("nan"), 0.5, 0.5]])
def test_weights_off_the_simplex_are_found(weights: list[float]) -> None:
    assert faults(weights) == ["the site weights are not on the simplex"]


def test_the_ball_is_that_of_the_jobs_rho() -> None:
    # with rho 0.25 and three sites the radius is sqrt(0.5 / 3) = 0.4082, at most 2/3 for one site
    assert faults([2 / 3, 1 / 6, 1 / 6]) == []
    assert faults([0.7, 0.15, 0.15]) == [
        "the site weights are outside the ball of rho 0.25",
        "a site weight is above the ceiling",
    ]
    assert faults([0.7, 0.15, 0.15], rho=0.5) == []
    assert faults([0.5, 0.25, 0.25], max_site_weight=0.5) == []
    assert "a site weight is above the ceiling" in faults([0.51, 0.245, 0.245], max_site_weight=0.5)


def test_the_floor_is_the_jobs() -> None:
    assert faults([0.4, 0.35, 0.25], min_site_weight=0.3) == ["a site weight is below min_site_weight 0.3"]
    assert faults([0.4, 0.3, 0.3], min_site_weight=0.3) == []


def test_without_the_min_max_the_weights_need_the_simplex_only() -> None:
    assert faults([0.9, 0.1, 0.0], dual_step_size=0.0, initial_site_weights="pairs") == []
